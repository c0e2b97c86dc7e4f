//! `[[contact]]`: whom the room tells, and how.

use super::super::key::{Key, Kind, Literal, Repeated};
use super::super::node::Misfit;
use super::super::table::Table;
use crate::policy::Level;
use std::path::PathBuf;

/// Most contacts: each has a task and a thousand messages that may wait.
const CONTACTS_MAX: usize = 32;
/// Longest name, characters: it is part of addresses of the API and of figures.
const NAME_MAX: usize = 64;
/// Longest address, characters: what HTTP servers take for sure (RFC 9110, 4.1, asks for 8000 at least).
const URL_MAX: usize = 2048;
/// Longest template, characters: a message must stay below 20 kB (Standard Webhooks 1.0, "Payload size").
const TEMPLATE_MAX: usize = 8192;
/// Longest other text, characters.
const TEXT_MAX: usize = 254;
/// Longest command, words.
const WORDS_MAX: usize = 32;
/// Most recipients of a mail.
const RECIPIENTS_MAX: usize = 32;
/// Names of this machine.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "::1"];
/// Longest time between two signs of life, seconds: a day.
const HEARTBEAT_MAX_S: i64 = 86_400;

pub(super) static CONTACTS: Repeated = Repeated {
    keys: &[
        Key::new("name", Kind::Text(NAME_MAX), "What it is called: letters, digits, - and _").required(),
        Key::new(
            "min_severity",
            Kind::Word(&["info", "warning", "critical"]),
            "What is less severe is not sent; meetings are info, an alert has its own, a change of state is critical",
        )
        .or(Literal::Text("info")),
        Key::new("levels", Kind::Words(&Level::WORDS), "Levels of meetings that it is told of; without it, of all"),
    ],
    kinds: &[
        ("webhook", WEBHOOK),
        ("command", COMMAND),
        ("syslog", SYSLOG),
        ("mail", MAIL),
        ("mqtt", MQTT),
    ],
    max: CONTACTS_MAX,
};

const fn heartbeat(default_s: i64) -> Key {
    Key::new("heartbeat_s", Kind::Integer(0, HEARTBEAT_MAX_S), "Time between two signs of life; 0 for none")
        .or(Literal::Integer(default_s))
}

const WEBHOOK: &[Key] = &[
    Key::new("url", Kind::Text(URL_MAX), "Where to POST to, https:// or http://").required(),
    Key::new(
        "secret_file",
        Kind::SecretFile,
        "Secret that signs what is sent, as whsec_... (Standard Webhooks 1.0)",
    ),
    Key::new("template", Kind::Text(TEMPLATE_MAX), "Body to send instead of the usual one, a Jinja template"),
    Key::new("content_type", Kind::Text(TEXT_MAX), "Content-Type of the body")
        .or(Literal::Text("application/json")),
    Key::new(
        "error_field",
        Kind::Text(TEXT_MAX),
        "Field of a JSON answer that must be 0, as errcode of chat robots",
    ),
    heartbeat(60),
];
const COMMAND: &[Key] = &[
    Key::new("argv", Kind::Texts(WORDS_MAX), "Program and its arguments; JSON is on its standard input")
        .required(),
    heartbeat(0),
];
const SYSLOG: &[Key] = &[
    Key::new("to", Kind::Text(TEXT_MAX), "udp://HOST:PORT, tcp://HOST:PORT or unix:/dev/log").required(),
    heartbeat(60),
];
const MAIL: &[Key] = &[
    Key::new("server", Kind::Text(TEXT_MAX), "Name of the mail server").required(),
    Key::new("port", Kind::Integer(1, 65_535), "Its port").or(Literal::Integer(587)),
    Key::new(
        "security",
        Kind::Word(&["starttls", "tls", "plain"]),
        "How the connection is kept private; plain only on this machine",
    )
    .or(Literal::Text("starttls")),
    Key::new("user", Kind::Text(TEXT_MAX), "Name to log in with"),
    Key::new("password_file", Kind::SecretFile, "Password to log in with"),
    Key::new("from", Kind::Text(TEXT_MAX), "Sender").required(),
    Key::new("to", Kind::Texts(RECIPIENTS_MAX), "Recipients").required(),
    heartbeat(0),
];
const MQTT: &[Key] = &[
    Key::new("url", Kind::Text(URL_MAX), "Broker of MQTT 5: mqtts://HOST[:PORT] or mqtt://HOST[:PORT]")
        .required(),
    Key::new("topic", Kind::Text(TEXT_MAX), "Topics begin with it").or(Literal::Text("emcon")),
    Key::new("discovery", Kind::Text(TEXT_MAX), "Topics by which Home Assistant finds devices begin with it")
        .or(Literal::Text("homeassistant")),
    Key::new("user", Kind::Text(TEXT_MAX), "Name to log in with"),
    Key::new("password_file", Kind::SecretFile, "Password to log in with"),
    heartbeat(10),
];

/// How bad something must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// A meeting begins or ends.
    Info,
    /// An alert that is not sure.
    Warning,
    /// A banned device by name, or a room that is blind or tampered with.
    Critical,
}

impl Severity {
    /// By its word.
    pub fn named(word: &str) -> Option<Self> {
        match word {
            "info" => Some(Self::Info),
            "warning" => Some(Self::Warning),
            "critical" => Some(Self::Critical),
            _ => None,
        }
    }

    /// As messages say it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// `[[contact]]`, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// What it is called; no other is.
    pub name: String,
    /// What is less is not sent.
    pub min_severity: Severity,
    /// Levels of meetings that it is told of; `None` for all.
    pub levels: Option<Vec<Level>>,
    /// Time between two signs of life, seconds; 0 for none.
    pub heartbeat_s: u32,
    /// The way to it.
    pub channel: ContactChannel,
}

/// The way to a contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContactChannel {
    /// A POST request.
    Webhook {
        /// Where to.
        url: String,
        /// Secret that signs.
        secret_file: Option<PathBuf>,
        /// Body instead of the usual one.
        template: Option<String>,
        /// Of the body.
        content_type: String,
        /// Field of the answer that must be 0.
        error_field: Option<String>,
    },
    /// A program, with its arguments.
    Command(Vec<String>),
    /// A log daemon.
    Syslog(SyslogAddress),
    /// A mail server.
    Mail(Mail),
    /// A broker.
    Mqtt(Mqtt),
}

/// Where a log daemon is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SyslogAddress {
    /// `HOST:PORT`, datagrams (RFC 5426).
    Udp(String),
    /// `HOST:PORT`, a stream with octet counting (RFC 6587, 3.4.1).
    Tcp(String),
    /// A local socket.
    Unix(PathBuf),
}

/// A mail server, and what to send through it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// Name of the server.
    pub server: String,
    /// Its port.
    pub port: u16,
    /// How the connection is kept private.
    pub security: MailSecurity,
    /// Name to log in with, and the file of the password.
    pub login: Option<(String, PathBuf)>,
    /// Sender.
    pub from: String,
    /// Recipients.
    pub to: Vec<String>,
}

/// A broker of MQTT 5, and where to publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mqtt {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Whether the connection is private.
    pub tls: bool,
    /// Topics begin with it.
    pub topic: String,
    /// So do those by which Home Assistant finds devices.
    pub discovery: Option<String>,
    /// Name to log in with, and the file of the password.
    pub login: Option<(String, PathBuf)>,
}

/// How a connection to a mail server is kept private.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailSecurity {
    /// TLS is asked for, and must be given (RFC 3207).
    StartTls,
    /// TLS from the start (RFC 8314).
    Tls,
    /// Not: this machine only.
    Plain,
}

impl ContactChannel {
    /// The word of its kind.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Webhook { .. } => "webhook",
            Self::Command(_) => "command",
            Self::Syslog(_) => "syslog",
            Self::Mail(_) => "mail",
            Self::Mqtt(_) => "mqtt",
        }
    }
}

pub(super) fn read(tables: &[Table<'_>], faults: &mut Vec<Misfit>) -> Vec<Contact> {
    let mut all: Vec<Contact> = Vec::new();
    for table in tables {
        let contact = one(table, faults);
        if all.iter().any(|other| other.name == contact.name) {
            faults.push(table.misfit("name", "another contact is called so; give it a name of its own"));
        }
        all.push(contact);
    }
    all
}

fn one(table: &Table<'_>, faults: &mut Vec<Misfit>) -> Contact {
    let name = table.text("name").unwrap_or_default().to_owned();
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_') {
        faults.push(table.misfit("name", "must be of letters, digits, - and _ only"));
    }
    let levels = table.texts("levels").map(|all| all.into_iter().filter_map(Level::named).collect());
    let channel = match table.kind() {
        Some("webhook") => webhook(table, faults),
        Some("syslog") => syslog(table, faults),
        Some("mail") => mail(table, faults),
        Some("mqtt") => mqtt(table, faults),
        _ => command(table, faults),
    };
    Contact {
        name,
        min_severity: table.text("min_severity").and_then(Severity::named).unwrap_or(Severity::Info),
        levels,
        heartbeat_s: table.integer("heartbeat_s").and_then(|s| u32::try_from(s).ok()).unwrap_or_default(),
        channel,
    }
}

fn webhook(table: &Table<'_>, faults: &mut Vec<Misfit>) -> ContactChannel {
    let text = |key| table.text(key).map(str::to_owned);
    let url = text("url").unwrap_or_default();
    let host = ["https://", "http://"].iter().find_map(|scheme| url.strip_prefix(scheme));
    if table.has("url") && host.is_none_or(|host| host.is_empty() || host.starts_with('/')) {
        faults.push(table.misfit("url", "must be https://HOST/... or http://HOST/..."));
    }
    if host.is_some_and(|rest| rest.split('/').next().is_some_and(|authority| authority.contains('@'))) {
        faults.push(table.misfit("url", "must not hold a name or a password: use secret_file"));
    }
    if let Some(Err(error)) = table
        .text("template")
        .map(|template| minijinja::Environment::new().template_from_str(template).map(drop))
    {
        faults.push(table.misfit("template", format!("is no template: {error}")));
    }
    ContactChannel::Webhook {
        url,
        secret_file: table.path("secret_file"),
        template: text("template"),
        content_type: text("content_type").unwrap_or_default(),
        error_field: text("error_field"),
    }
}

fn command(table: &Table<'_>, faults: &mut Vec<Misfit>) -> ContactChannel {
    let argv: Vec<String> = table.texts("argv").unwrap_or_default().into_iter().map(str::to_owned).collect();
    if table.has("argv") && !argv.first().is_some_and(|program| program.starts_with('/')) {
        faults.push(table.misfit("argv", "must begin with the program's whole path, as /usr/bin/logger"));
    }
    ContactChannel::Command(argv)
}

fn syslog(table: &Table<'_>, faults: &mut Vec<Misfit>) -> ContactChannel {
    let to = table.text("to").unwrap_or_default();
    let is_address = |text: &str| {
        text.rsplit_once(':')
            .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port > 0))
    };
    let address = match to.split_once(':') {
        Some(("udp", rest)) => {
            rest.strip_prefix("//").filter(|a| is_address(a)).map(|a| SyslogAddress::Udp(a.into()))
        }
        Some(("tcp", rest)) => {
            rest.strip_prefix("//").filter(|a| is_address(a)).map(|a| SyslogAddress::Tcp(a.into()))
        }
        Some(("unix", path)) if path.starts_with('/') => Some(SyslogAddress::Unix(path.into())),
        _ => None,
    };
    if address.is_none() && table.has("to") {
        faults.push(table.misfit("to", "must be udp://HOST:PORT, tcp://HOST:PORT or unix:/PATH"));
    }
    ContactChannel::Syslog(address.unwrap_or(SyslogAddress::Unix(PathBuf::new())))
}

fn mail(table: &Table<'_>, faults: &mut Vec<Misfit>) -> ContactChannel {
    let text = |key| table.text(key).unwrap_or_default().to_owned();
    let security = match table.text("security") {
        Some("tls") => MailSecurity::Tls,
        Some("plain") => MailSecurity::Plain,
        _ => MailSecurity::StartTls,
    };
    let server = text("server");
    if security == MailSecurity::Plain && !LOOPBACK.contains(&server.as_str()) {
        faults.push(table.misfit("security", "plain is for a server on this machine only, as localhost"));
    }
    let login = login(table, faults);
    ContactChannel::Mail(Mail {
        server,
        port: table.integer("port").and_then(|port| u16::try_from(port).ok()).unwrap_or_default(),
        security,
        login,
        from: text("from"),
        to: table.texts("to").unwrap_or_default().into_iter().map(str::to_owned).collect(),
    })
}

/// Name to log in with, and the file of the password.
fn login(table: &Table<'_>, faults: &mut Vec<Misfit>) -> Option<(String, PathBuf)> {
    match (table.text("user"), table.path("password_file")) {
        (Some(user), Some(file)) => Some((user.to_owned(), file)),
        (None, None) => None,
        (user, _) => {
            let (has, lacks) =
                if user.is_some() { ("user", "password_file") } else { ("password_file", "user") };
            faults.push(table.misfit(has, format!("needs {lacks} beside it")));
            None
        }
    }
}

fn mqtt(table: &Table<'_>, faults: &mut Vec<Misfit>) -> ContactChannel {
    /// Ports of MQTT without and with TLS (IANA).
    const PORTS: [u16; 2] = [1883, 8883];
    let url = table.text("url").unwrap_or_default();
    let (tls, rest) = match (url.strip_prefix("mqtts://"), url.strip_prefix("mqtt://")) {
        (Some(rest), _) => (true, rest),
        (_, Some(rest)) => (false, rest),
        _ => (false, ""),
    };
    let address = match rest.rsplit_once(':') {
        // Colons of an IPv6 address stand in brackets.
        Some((host, port)) if !port.ends_with(']') => port.parse().ok().map(|port| (host, port)),
        _ => Some((rest, PORTS[usize::from(tls)])),
    };
    let (host, port) = address.unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    if table.has("url") && (host.is_empty() || port == 0 || host.contains(['/', '@'])) {
        faults.push(table.misfit("url", "must be mqtts://HOST, mqtt://HOST, or either with :PORT"));
    }
    let login = login(table, faults);
    if !tls && login.is_some() && !LOOPBACK.contains(&host) {
        faults.push(table.misfit("url", "a password goes over mqtts:// only, but to this machine"));
    }
    for key in ["topic", "discovery"] {
        let bad = |topic: &str| {
            topic.contains(['+', '#', '\0']) || topic.starts_with(['/', '$']) || topic.ends_with('/')
        };
        if table.text(key).is_some_and(bad) {
            faults.push(table.misfit(key, "must not hold + or #, begin with / or $, or end with /"));
        }
    }
    let text = |key| table.text(key).filter(|text| !text.is_empty()).map(str::to_owned);
    ContactChannel::Mqtt(Mqtt {
        host: host.to_owned(),
        port,
        tls,
        topic: text("topic").unwrap_or_else(|| "emcon".into()),
        discovery: text("discovery"),
        login,
    })
}
