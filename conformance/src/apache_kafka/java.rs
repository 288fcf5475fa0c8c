//! Java and Maven: whether they are here, and how to get them.

use super::Error;
use std::path::PathBuf;
use std::process::{Command, Output};

/// Kafka 4's brokers need Java 17.
const OLDEST: u32 = 17;
const INSTALL_JAVA: &str = "apt-get install openjdk-17-jre-headless";
const INSTALL_MAVEN: &str = "apt-get install maven";

/// The Java that runs the brokers: `$JAVA_HOME/bin/java`, else `java`.
pub(super) fn find() -> Result<PathBuf, Error> {
    let java = std::env::var_os("JAVA_HOME").map(|home| PathBuf::from(home).join("bin/java"));
    let java = java.filter(|java| java.exists()).unwrap_or_else(|| PathBuf::from("java"));
    let missing = |why| Error::Missing { what: "Java 17 or later", why, install: INSTALL_JAVA };
    let asked = Command::new(&java).arg("-version").output();
    let Output { stderr, .. } = asked.map_err(|error| missing(format!("`{}`: {error}", java.display())))?;
    let said = String::from_utf8_lossy(&stderr);
    match version(&said) {
        Some(version) if version >= OLDEST => Ok(java),
        _ => Err(missing(format!("`{} -version` says {:?}", java.display(), said.lines().next().unwrap_or_default()))),
    }
}

/// Maven's command, for a machine that has it.
pub(super) fn maven() -> Result<Command, Error> {
    match Command::new("mvn").arg("--version").output() {
        Ok(output) if output.status.success() => Ok(Command::new("mvn")),
        Ok(output) => Err(missing_maven(format!("`mvn --version` ended with {}", output.status))),
        Err(error) => Err(missing_maven(format!("`mvn`: {error}"))),
    }
}

fn missing_maven(why: String) -> Error {
    Error::Missing { what: "Maven", why, install: INSTALL_MAVEN }
}

/// The major version in what `java -version` says, as in `openjdk version "17.0.15" 2025-04-15`.
fn version(said: &str) -> Option<u32> {
    let quoted = said.split('"').nth(1)?;
    let mut numbers = quoted.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok());
    match numbers.next()? {
        1 => numbers.next(), // 1.8 is Java 8
        major => Some(major),
    }
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn reads_old_and_new_versions() {
        assert_eq!(version("openjdk version \"17.0.15\" 2025-04-15"), Some(17));
        assert_eq!(version("openjdk version \"21-ea\" 2023-09-19"), Some(21));
        assert_eq!(version("java version \"1.8.0_392\""), Some(8));
        assert_eq!(version("no such program"), None);
    }
}
