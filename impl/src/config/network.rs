//! Where a node listens, what it tells others about that, and where it finds the controller.
//!
//! Kafka allows many listeners and voters; here there is one listener for clients and brokers, one for the controller,
//! and one voter. Only PLAINTEXT is spoken.

use super::error::ConfigError;
use super::settings::Settings;
use super::value::{list, node_id, process_roles};
use super::{Key, Roles};
use highwater_spec::values::BrokerId;
use std::{fmt, fs};

/// A host and a port. The port 0, where it is allowed, stands for one that the kernel chooses.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// A name or an address; an IPv6 address without brackets. Empty in a listener: all addresses of this machine.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl Endpoint {
    /// Reads `host:port` or `[host]:port`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (host, port) = text.rsplit_once(':')?;
        let bare = match host.strip_prefix('[') {
            Some(rest) => rest.strip_suffix(']')?,
            None if host.contains(':') => return None,
            None => host,
        };
        let well_formed = !bare.contains(|c: char| c.is_whitespace() || matches!(c, '/' | '@' | '[' | ']' | ','));
        let digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
        (well_formed && digits).then(|| Some(Self { host: bare.to_owned(), port: port.parse().ok()? }))?
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

/// A named place at which a node listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// Its name, such as `PLAINTEXT` or `CONTROLLER`.
    pub name: String,
    /// The address to bind.
    pub endpoint: Endpoint,
}

/// The listener for clients and other brokers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerListener {
    /// Where it listens.
    pub listener: Listener,
    /// What clients and brokers are told. Its port is 0 if it is whichever the kernel chooses for the listener.
    pub advertised: Endpoint,
}

/// Where the cluster's controller is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quorum {
    /// Its node id, if it is known beforehand (`controller.quorum.voters` tells it, bootstrap servers don't).
    pub id: Option<BrokerId>,
    /// Where brokers reach it. In the controller's own settings the port may be 0.
    pub endpoint: Endpoint,
}

/// A node's place in the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// For the role of a broker.
    pub broker: Option<BrokerListener>,
    /// For the role of a controller.
    pub controller: Option<Listener>,
    /// The controller.
    pub quorum: Quorum,
}

const LISTENERS: Key = Key {
    name: "listeners",
    default: Some("PLAINTEXT://:9092"),
    meaning: " Where to listen, NAME://host:port: one for clients and brokers, one for the controller. Port 0: any.",
};
const ADVERTISED: Key = Key {
    name: "advertised.listeners",
    default: Some(""),
    meaning: " What clients and brokers are told to connect to. Else as in listeners, or this machine's name.",
};
const CONTROLLER_NAMES: Key = Key {
    name: "controller.listener.names",
    default: Some("CONTROLLER"),
    meaning: " The name of the controller's listener. Kafka has no default for it.",
};
const INTER_BROKER: Key = Key {
    name: "inter.broker.listener.name",
    default: Some(""),
    meaning: " The name of the listener that brokers use among themselves: the only one there is.",
};
const PROTOCOLS: Key = Key {
    name: "listener.security.protocol.map",
    default: Some(""),
    meaning: " The protocol of each listener, NAME:PROTOCOL. Only PLAINTEXT is supported yet.",
};
const VOTERS: Key = Key {
    name: "controller.quorum.voters",
    default: Some(""),
    meaning: " The controller, id@host:port. One only, yet.",
};
const BOOTSTRAP: Key = Key {
    name: "controller.quorum.bootstrap.servers",
    default: Some(""),
    meaning: " The controller, host:port, if controller.quorum.voters isn't set. One only, yet.",
};

pub(super) const KEYS: &[Key] = &[LISTENERS, ADVERTISED, CONTROLLER_NAMES, INTER_BROKER, PROTOCOLS, VOTERS, BOOTSTRAP];

impl Network {
    pub(super) fn read(settings: &Settings) -> Result<Self, ConfigError> {
        let node = settings.read("node.id", None, node_id)?;
        let roles = settings.read("process.roles", None, process_roles)?;
        let listeners = settings.read_key(&LISTENERS, parse_listeners)?;
        let advertised = settings.read_key(&ADVERTISED, parse_listeners)?;
        let controller_name = settings.read_key(&CONTROLLER_NAMES, one_name)?;
        for listener in &listeners {
            settings.read_key(&PROTOCOLS, |map| plaintext(map, &listener.name))?;
        }
        let (controllers, brokers): (Vec<_>, Vec<_>) =
            listeners.into_iter().partition(|listener| listener.name == controller_name);
        let broker = match (roles.broker, brokers.as_slice()) {
            (true, [listener]) => Some(BrokerListener {
                advertised: advertised_endpoint(listener, &advertised)?,
                listener: listener.clone(),
            }),
            (false, []) => None,
            (true, others) => {
                return Err(expected_one("broker", others.len(), "for clients and brokers", &controller_name));
            }
            (false, [other, ..]) => return Err(superfluous(other, "broker", "process.roles doesn't name that role")),
        };
        let controller = match (roles.controller, controllers.as_slice()) {
            (true, [listener]) => Some(listener.clone()),
            (false, []) => None,
            (true, others) => return Err(expected_one("controller", others.len(), "of that name", &controller_name)),
            (false, [other, ..]) => {
                return Err(superfluous(other, "controller", "process.roles doesn't name that role"));
            }
        };
        if let Some(broker) = &broker {
            settings.read_key(&INTER_BROKER, |name| same_name(name, &broker.listener.name))?;
        }
        Ok(Self { broker, controller, quorum: Quorum::read(settings, node, roles)? })
    }
}

fn expected_one(role: &str, found: usize, which: &str, controller_name: &str) -> ConfigError {
    ConfigError::Contradiction(format!(
        "process.roles names {role}, so listeners must have one listener {which}, and it has {found} \
         (controller.listener.names={controller_name}; more than one is not supported yet)"
    ))
}

fn superfluous(listener: &Listener, role: &str, why: &str) -> ConfigError {
    let Listener { name, endpoint } = listener;
    ConfigError::Contradiction(format!("listeners has {name}://{endpoint}, which is for a {role}, but {why}"))
}

/// Clients can't connect to "all addresses": then this machine's name is what they are told.
fn advertised_endpoint(listener: &Listener, advertised: &[Listener]) -> Result<Endpoint, ConfigError> {
    if let Some(told) = advertised.iter().find(|told| told.name == listener.name) {
        if is_wildcard(&told.endpoint.host) || told.endpoint.port == 0 {
            let problem = format!("advertised.listeners has {}, to which nobody can connect", told.endpoint);
            return Err(ConfigError::Contradiction(problem));
        }
        return Ok(told.endpoint.clone());
    }
    let mut endpoint = listener.endpoint.clone();
    if is_wildcard(&endpoint.host) {
        let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        endpoint.host = match name.trim() {
            "" => "localhost".to_owned(),
            name => name.to_owned(),
        };
    }
    Ok(endpoint)
}

fn is_wildcard(host: &str) -> bool {
    matches!(host, "" | "0.0.0.0" | "::")
}

impl Quorum {
    fn read(settings: &Settings, node: BrokerId, roles: Roles) -> Result<Self, ConfigError> {
        let voter = settings.read_key(&VOTERS, |text| at_most_one(text, parse_voter, "id@host:port"))?;
        let server = settings.read_key(&BOOTSTRAP, |text| at_most_one(text, parse_server, "host:port"))?;
        let quorum = voter.or(server).ok_or_else(|| {
            ConfigError::Contradiction(
                "no controller is named: set controller.quorum.voters=id@host:port \
                 or controller.quorum.bootstrap.servers=host:port"
                    .to_owned(),
            )
        })?;
        let problem = match quorum.id {
            Some(id) if roles.controller && id != node => "is not this node's id, but process.roles names controller",
            Some(id) if !roles.controller && id == node => {
                "is this node's id, but process.roles doesn't name controller"
            }
            _ if !roles.controller && quorum.endpoint.port == 0 => "names no port to which a broker could connect",
            _ => return Ok(quorum),
        };
        let id = quorum.id.map(|id| format!("{}@", id.0)).unwrap_or_default();
        let given = format!("the controller {id}{} {problem} (node.id={})", quorum.endpoint, node.0);
        Err(ConfigError::Contradiction(given))
    }
}

fn at_most_one(text: &str, parse: fn(&str) -> Option<Quorum>, form: &str) -> Result<Option<Quorum>, String> {
    let mut all = list(text);
    let first = all.next().map(|first| parse(first).ok_or_else(|| format!("one controller as {form}")));
    match all.next() {
        Some(_) => Err(format!("one controller as {form}; a quorum of several is not supported yet")),
        None => first.transpose(),
    }
}

fn parse_voter(text: &str) -> Option<Quorum> {
    let (id, endpoint) = text.split_once('@')?;
    let id = id.parse().ok().filter(|id| *id >= 0)?;
    Some(Quorum { id: Some(BrokerId(id)), ..parse_server(endpoint)? })
}

fn parse_server(text: &str) -> Option<Quorum> {
    let endpoint = Endpoint::parse(text).filter(|endpoint| !endpoint.host.is_empty())?;
    Some(Quorum { id: None, endpoint })
}

fn parse_listeners(text: &str) -> Result<Vec<Listener>, String> {
    let listeners: Option<Vec<_>> = list(text).map(parse_listener).collect();
    let names_differ = |all: &Vec<Listener>| {
        all.iter().enumerate().all(|(index, one)| all[..index].iter().all(|other| other.name != one.name))
    };
    listeners.filter(names_differ).ok_or_else(|| "a list of NAME://host:port, each name once".to_owned())
}

fn parse_listener(text: &str) -> Option<Listener> {
    let (name, endpoint) = text.split_once("://")?;
    let valid = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'));
    valid.then(|| Some(Listener { name: name.to_uppercase(), endpoint: Endpoint::parse(endpoint)? }))?
}

fn one_name(text: &str) -> Result<String, String> {
    let mut names = list(text);
    match (names.next(), names.next()) {
        (Some(name), None) => Ok(name.to_uppercase()),
        _ => Err("the name of one listener".to_owned()),
    }
}

fn same_name(name: &str, listener: &str) -> Result<(), String> {
    match name.is_empty() || name.eq_ignore_ascii_case(listener) {
        true => Ok(()),
        false => Err(format!("{listener}, the only listener for brokers")),
    }
}

/// A listener that the map doesn't name has the protocol that it is called by, or plain text.
fn plaintext(map: &str, listener: &str) -> Result<(), String> {
    let pairs: Option<Vec<_>> = list(map).map(|pair| pair.split_once(':')).collect();
    let pairs = pairs.ok_or("a list of NAME:PROTOCOL")?;
    let named = pairs.iter().find(|(name, _)| name.eq_ignore_ascii_case(listener)).map(|(_, protocol)| *protocol);
    match named.unwrap_or(listener).to_uppercase().as_str() {
        "SSL" | "SASL_PLAINTEXT" | "SASL_SSL" => {
            Err(format!("PLAINTEXT for {listener} (nothing else is supported yet)"))
        }
        _ => Ok(()),
    }
}
