//! The clients: what each needs, how it is fetched, how its program is run.

use super::install::{InstallError, Program};
use crate::apache_kafka;
use crate::command::{self, PATIENCE};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

macro_rules! source {
    ($name:literal) => {
        include_str!(concat!("../../clients/members/", $name))
    };
}

/// A client in some language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Apache Kafka's own client, in Java.
    Java,
    /// kafka-python.
    KafkaPython,
    /// kafkajs, for Node.
    Kafkajs,
    /// franz-go, for Go.
    FranzGo,
    /// confluent-kafka for Python, which is librdkafka.
    Confluent,
}

/// A member of a group, as every program is told to be one.
#[derive(Clone, Copy, Debug)]
pub struct Member<'a> {
    /// The cluster's addresses.
    pub bootstrap: &'a str,
    /// Which group.
    pub group: &'a str,
    /// What it reads.
    pub topic: &'a str,
    /// The name that is in its events.
    pub who: &'a str,
    /// Kafka's name for the assignor.
    pub strategy: &'a str,
    /// How long it may be silent, in milliseconds.
    pub session_ms: u32,
    /// Its group.instance.id, if it is a static member.
    pub instance: Option<&'a str>,
}

const JAVA: Program = Program { name: "java-kafka-clients-4.1.1", sources: &[("Client.java", source!("Client.java"))] };
const KAFKA_PYTHON: Program = Program {
    name: "kafka-python-3.0.12",
    sources: &[
        ("events.py", source!("events.py")),
        ("client.py", source!("kafka_python.py")),
        // franz-go compresses with Snappy by default, and kafka-python leaves that to its users.
        ("requirements.txt", "kafka-python==3.0.12\npython-snappy==0.7.3\ncramjam==2.11.0\n"),
    ],
};
const CONFLUENT: Program = Program {
    name: "confluent-kafka-2.16.1",
    sources: &[
        ("events.py", source!("events.py")),
        ("client.py", source!("confluent.py")),
        ("crowd.py", source!("crowd.py")),
        ("requirements.txt", "confluent-kafka==2.16.1\n"),
    ],
};
const KAFKAJS: Program = Program {
    name: "kafkajs-2.2.4",
    sources: &[
        ("client.js", source!("kafkajs.js")),
        ("package.json", source!("package.json")),
        ("package-lock.json", source!("package-lock.json")),
    ],
};
const FRANZ_GO: Program = Program {
    name: "franz-go-1.20.6",
    sources: &[
        ("main.go", source!("franz/main.go")),
        ("go.mod", source!("franz/go.mod")),
        ("go.sum", source!("franz/go.sum")),
    ],
};

impl Language {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Java, Self::KafkaPython, Self::Kafkajs, Self::FranzGo, Self::Confluent];

    /// What to call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Java => "java",
            Self::KafkaPython => "kafka-python",
            Self::Kafkajs => "kafkajs",
            Self::FranzGo => "franz-go",
            Self::Confluent => "confluent",
        }
    }

    /// The language's tools that aren't on this machine, if any, with the command that installs them.
    #[must_use]
    pub fn missing(self) -> Option<String> {
        let (tools, install): (&[(&str, &str)], _) = match self {
            Self::Java => (&[("javac", "-version"), ("mvn", "--version")], "default-jdk-headless maven"),
            Self::KafkaPython | Self::Confluent => (&[("python3", "--version")], "python3-venv"),
            Self::Kafkajs => (&[("node", "--version"), ("npm", "--version")], "nodejs npm"),
            Self::FranzGo => (&[("go", "version")], "golang"),
        };
        let answers = |(tool, argument): &&(&str, &str)| {
            command::run(Command::new(tool).arg(argument), b"", PATIENCE).is_ok_and(|ended| ended.success)
        };
        let lacking = tools.iter().find(|tool| !answers(tool))?;
        Some(format!("{} is missing; install it with `apt-get install {install}`", lacking.0))
    }

    /// The command that makes a member.
    ///
    /// # Errors
    /// When the client can't be had.
    pub fn member(self, member: &Member<'_>) -> Result<Command, InstallError> {
        let mut command = self.program()?;
        let Member { bootstrap, group, topic, who, strategy, session_ms, instance } = *member;
        command.args(["member", bootstrap, group, topic, who, strategy, &session_ms.to_string()]).args(instance);
        Ok(command)
    }

    /// The command that makes a producer of `count` values with default settings.
    ///
    /// # Errors
    /// When the client can't be had.
    pub fn producer(self, bootstrap: &str, topic: &str, who: &str, count: u32) -> Result<Command, InstallError> {
        let mut command = self.program()?;
        command.args(["produce", bootstrap, topic, who, &count.to_string()]);
        Ok(command)
    }

    /// The command that makes an idempotent producer, which writes until its standard input ends.
    ///
    /// # Errors
    /// When the client, confluent-kafka, can't be had.
    pub fn load(bootstrap: &str, topic: &str, who: &str) -> Result<Command, InstallError> {
        let mut command = python(&CONFLUENT)?;
        command.args(["load", bootstrap, topic, who]);
        Ok(command)
    }

    /// The command that makes a crowd of members, which come and go as it is told. Its clients are confluent-kafka's.
    ///
    /// # Errors
    /// When the client can't be had.
    pub fn crowd(arguments: &[&str]) -> Result<Command, InstallError> {
        let mut command = python_of(&CONFLUENT, "crowd.py")?;
        command.args(arguments);
        Ok(command)
    }

    fn program(self) -> Result<Command, InstallError> {
        match self {
            Self::Java => java(),
            Self::KafkaPython => python(&KAFKA_PYTHON),
            Self::Confluent => python(&CONFLUENT),
            Self::Kafkajs => kafkajs(),
            Self::FranzGo => franz_go(),
        }
    }
}

fn java() -> Result<Command, InstallError> {
    let jars = jars()?;
    let dir = JAVA.install(|_| vec![command("javac", &["-cp", &jars, "-d", "classes", "Client.java"])])?;
    let classes = format!("{}:{jars}", dir.join("classes").display());
    // Small and quick to start: several run beside each other.
    Ok(command("java", &["-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", &classes, "Client"]))
}

/// Where Kafka's client is. Its jars are verified once.
fn jars() -> Result<String, InstallError> {
    static JARS: Mutex<Option<String>> = Mutex::new(None);
    let mut known = JARS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(jars) = &*known {
        return Ok(jars.clone());
    }
    let jars = apache_kafka::client_class_path(&crate::cache_dir().ok_or(InstallError::NoCache)?)?;
    Ok(known.insert(jars).clone())
}

fn python(program: &Program) -> Result<Command, InstallError> {
    python_of(program, "client.py")
}

fn python_of(program: &Program, source: &str) -> Result<Command, InstallError> {
    let dir = program.install(|dir| {
        let pip = ["install", "--quiet", "--disable-pip-version-check", "--requirement", "requirements.txt"];
        vec![command("python3", &["-m", "venv", "venv"]), command(dir.join("venv/bin/pip"), &pip)]
    })?;
    let mut python = Command::new(dir.join("venv/bin/python3"));
    python.arg("-B").arg(dir.join(source));
    Ok(python)
}

fn kafkajs() -> Result<Command, InstallError> {
    let dir = KAFKAJS.install(|_| vec![command("npm", &["ci", "--no-audit", "--no-fund"])])?;
    let mut node = Command::new("node");
    node.arg(dir.join("client.js")).env("KAFKAJS_NO_PARTITIONER_WARNING", "1");
    Ok(node)
}

fn franz_go() -> Result<Command, InstallError> {
    let dir: PathBuf = FRANZ_GO.install(|_| vec![command("go", &["build", "-o", "client", "."])])?;
    Ok(Command::new(dir.join("client")))
}

fn command(program: impl AsRef<Path>, arguments: &[&str]) -> Command {
    let mut command = Command::new(program.as_ref());
    command.args(arguments);
    command
}
