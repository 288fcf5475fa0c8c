//! The jars of the pinned release: fetched by Maven, verified by SHA-256, kept in the cache.
//!
//! `apache-kafka.sha256` names every jar of the class path; what else may lie in the folder is not on it.

use super::{Error, java};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The release of Apache Kafka that is the oracle.
pub const VERSION: &str = "4.1.1";

/// The release of log4j that this Kafka names in its own pom.
const LOG4J: &str = "2.24.3";
const PLUGIN: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1";
const PINS: &str = include_str!("../../apache-kafka.sha256");

/// The release's jars, as pinned.
pub(super) struct Artifacts {
    jars: Vec<PathBuf>,
}

impl Artifacts {
    /// The jars, fetched if they aren't in the cache yet. All are verified, each time.
    pub(super) fn resolve(cache: &Path) -> Result<Self, Error> {
        let folder = folder(cache);
        if pinned().any(|(_, name)| !folder.join(name).exists()) {
            fetch(&folder)?;
        }
        let jars = pinned().map(|(_, name)| folder.join(name)).collect::<Vec<_>>();
        if let Some(missing) = jars.iter().find(|jar| !jar.exists()) {
            return Err(Error::JarMissing(missing.clone()));
        }
        for ((pinned, _), (found, path)) in pinned().zip(digests(&jars)?) {
            if pinned != found {
                return Err(Error::JarDiffers { path, found, pinned: pinned.to_owned() });
            }
        }
        Ok(Self { jars })
    }

    /// The class path, as Java wants it.
    pub(super) fn class_path(&self) -> String {
        class_path(&self.jars)
    }
}

/// The class path of Kafka's client alone, without what its logging would write to.
pub fn client_class_path(cache: &Path) -> Result<String, Error> {
    const NEEDED: [&str; 5] = ["kafka-clients-", "lz4-java-", "slf4j-api-", "snappy-java-", "zstd-jni-"];
    let mut jars = Artifacts::resolve(cache)?.jars;
    let name = |jar: &PathBuf| jar.file_name().unwrap_or_default().to_string_lossy().into_owned();
    jars.retain(|jar| NEEDED.iter().any(|needed| name(jar).starts_with(needed)));
    Ok(class_path(&jars))
}

fn class_path(jars: &[PathBuf]) -> String {
    jars.iter().map(|jar| jar.display().to_string()).collect::<Vec<_>>().join(":")
}

/// The lines that belong into `apache-kafka.sha256`: what Maven resolves today. For a change of release.
pub fn pins(cache: &Path) -> Result<String, Error> {
    let folder = folder(cache);
    fetch(&folder)?;
    let listed = fs::read_dir(&folder).map_err(Error::io("list", &folder))?;
    let mut jars = listed.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>();
    if let Ok(jars) = &mut jars {
        jars.retain(|path| path.extension().is_some_and(|extension| extension == "jar"));
        jars.sort();
    }
    let jars = jars.map_err(Error::io("list", &folder))?;
    let line = |(digest, path): (String, PathBuf)| {
        format!("{digest}  {}\n", path.file_name().unwrap_or_default().to_string_lossy())
    };
    Ok(digests(&jars)?.into_iter().map(line).collect())
}

/// Each pinned jar: digest and file name.
fn pinned() -> impl Iterator<Item = (&'static str, &'static str)> {
    PINS.lines().filter_map(|line| line.split_once("  "))
}

fn folder(cache: &Path) -> PathBuf {
    cache.join(format!("apache-kafka-{VERSION}/jars"))
}

/// Has Maven put the release and all that it depends on into `folder`.
fn fetch(folder: &Path) -> Result<(), Error> {
    let mut maven = java::maven()?;
    fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
    let pom = folder.join("pom.xml");
    fs::write(&pom, POM.replace("KAFKA", VERSION).replace("LOG4J", LOG4J)).map_err(Error::io("write", &pom))?;
    maven.args(["--batch-mode", "--quiet", "--file"]).arg(&pom).arg(format!("{PLUGIN}:copy-dependencies"));
    maven.arg(format!("-DoutputDirectory={}", folder.display())).arg("-DincludeScope=runtime");
    let output = maven.output().map_err(Error::io("run", Path::new("mvn")))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stdout);
    Err(Error::Maven { command: format!("{maven:?}"), said: super::node::last_lines(&said, 20) })
}

/// The SHA-256 of each file, in the order given.
fn digests(jars: &[PathBuf]) -> Result<Vec<(String, PathBuf)>, Error> {
    let output = Command::new("sha256sum").arg("--").args(jars).output();
    let output = output.map_err(|error| Error::Missing {
        what: "sha256sum",
        why: error.to_string(),
        install: "apt-get install coreutils",
    })?;
    let text = String::from_utf8_lossy(&output.stdout);
    let digest = |line: &str| line.split_whitespace().next().unwrap_or_default().to_owned();
    let found = text.lines().map(digest).chain(std::iter::repeat("unreadable".to_owned()));
    Ok(found.zip(jars.iter().cloned()).collect())
}

const POM: &str = "\
<project xmlns=\"http://maven.apache.org/POM/4.0.0\">
  <modelVersion>4.0.0</modelVersion>
  <groupId>highwater</groupId>
  <artifactId>apache-kafka</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka_2.13</artifactId>
      <version>KAFKA</version>
    </dependency>
    <dependency>
      <groupId>org.apache.logging.log4j</groupId>
      <artifactId>log4j-slf4j-impl</artifactId>
      <version>LOG4J</version>
    </dependency>
  </dependencies>
</project>
";

#[cfg(test)]
mod tests {
    use super::*;

    /// A cache in which each pinned jar is an empty file, so that Maven isn't asked.
    fn hollow_cache() -> tempfile::TempDir {
        let cache = tempfile::tempdir().unwrap();
        let folder = folder(cache.path());
        fs::create_dir_all(&folder).unwrap();
        for (_, name) in pinned() {
            fs::write(folder.join(name), "").unwrap();
        }
        cache
    }

    #[test]
    fn a_jar_that_differs_is_named() {
        let cache = hollow_cache();
        let refused = Artifacts::resolve(cache.path()).err().map(|error| error.to_string()).unwrap_or_default();
        let (digest, name) = pinned().next().unwrap();
        assert!(refused.contains(name) && refused.contains(digest), "{refused}");
    }

    #[test]
    fn every_pin_is_a_digest_and_a_jar_of_this_release() {
        assert!(pinned().all(|(digest, name)| digest.len() == 64 && name.ends_with(".jar")));
        assert_eq!(pinned().count(), PINS.lines().count());
        assert!(pinned().any(|(_, name)| name == format!("kafka_2.13-{VERSION}.jar")));
    }
}
