//! Contacts through real servers: a broker of MQTT (mosquitto), a log daemon (rsyslog) and a mail server (aiosmtpd), which
//! `make test` installs.

use super::{Room, SOON, contact, wait_for};
use emcon::alert::AlertPhase;
use emcon::clock::Monotonic;
use emcon::config::{Contact, ContactChannel, Mail, MailSecurity, Mqtt, SyslogAddress};
use emcon::notify;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

/// A program that ends with its test.
struct Server(Child);

/// Debian keeps daemons where not everybody's PATH leads.
fn program(name: &str) -> Command {
    let sbin = Path::new("/usr/sbin").join(name);
    if sbin.exists() { Command::new(sbin) } else { Command::new(name) }
}

impl Server {
    fn start(program: &str, command: &mut Command) -> Self {
        let started = command.stdin(Stdio::null()).spawn();
        Self(started.unwrap_or_else(|error| panic!("{program}: {error}: `make test` installs it")))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A port that nobody has right now.
fn port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn listening(port: u16) {
    wait_for("a server", || TcpStream::connect(("127.0.0.1", port)).is_ok());
}

fn broker(folder: &Path, port: u16) -> Server {
    let file = folder.join("mosquitto.conf");
    let users = folder.join("users");
    let made =
        Command::new("mosquitto_passwd").args(["-c", "-b"]).arg(&users).args(["box", "secret"]).status();
    assert!(made.expect("mosquitto_passwd: `make test` installs it").success());
    // The reader of the tests needs no password, and may not write.
    let rules = folder.join("rules");
    std::fs::write(&rules, "topic read #\n\nuser box\ntopic readwrite room/#\ntopic readwrite ha/#\n")
        .unwrap();
    let text = format!(
        "listener {port} 127.0.0.1\nallow_anonymous true\npassword_file {}\nacl_file {}\nuser {}\n",
        users.display(),
        rules.display(),
        std::env::var("USER").unwrap_or_else(|_| "root".into())
    );
    std::fs::write(&file, text).unwrap();
    let server = Server::start("mosquitto", program("mosquitto").arg("-c").arg(&file).stderr(Stdio::null()));
    listening(port);
    server
}

/// Somebody who reads all that a broker has, and gets.
struct Reader {
    lines: Receiver<(bool, String, String)>,
    /// What was not asked for yet: whether it was retained, topic and payload. Retained ones come in any order.
    heard: Vec<(bool, String, Value)>,
    _server: Server,
}

impl Reader {
    fn on(port: u16) -> Self {
        let mut command = Command::new("mosquitto_sub");
        command.args(["-h", "127.0.0.1", "-p", &port.to_string(), "-V", "mqttv5", "-q", "1", "-t", "#"]);
        command.args(["-F", "%r\t%t\t%p"]).stdout(Stdio::piped());
        let mut server = Server::start("mosquitto_sub", &mut command);
        let out = BufReader::new(server.0.stdout.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                let mut parts = line.splitn(3, '\t').map(str::to_owned);
                let mut part = || parts.next().unwrap_or_default();
                if sender.send((part() == "1", part(), part())).is_err() {
                    return;
                }
            }
        });
        Self { lines, heard: Vec::new(), _server: server }
    }

    /// The first payload of `topic` that `is` right, as JSON if it is that, and whether it was retained.
    fn next(&mut self, topic: &str, is: impl Fn(&Value) -> bool) -> (bool, Value) {
        let start = Monotonic::now();
        loop {
            let at = self.heard.iter().position(|(_, of, value)| of == topic && is(value));
            if let Some(at) = at {
                let (retained, _, value) = self.heard.remove(at);
                return (retained, value);
            }
            let left = SOON.saturating_sub(start.elapsed());
            let Ok((retained, of, payload)) = self.lines.recv_timeout(left) else {
                panic!("nothing of {topic} in {SOON:?}, but {:#?}", self.heard);
            };
            let value = serde_json::from_str(&payload).unwrap_or(Value::String(payload));
            self.heard.push((retained, of, value));
        }
    }
}

fn mqtt(port: u16, login: Option<(String, std::path::PathBuf)>) -> Contact {
    let (topic, discovery) = ("room/3".to_owned(), Some("ha".to_owned()));
    let mqtt = Mqtt { host: "127.0.0.1".into(), port, tls: false, topic, discovery, login };
    Contact { heartbeat_s: 1, ..contact("it", ContactChannel::Mqtt(mqtt)) }
}

#[test]
fn a_broker_gets_events_state_and_what_home_assistant_needs_and_hears_when_the_room_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let port = port();
    let mut server = broker(folder.path(), port);
    let password = folder.path().join("password");
    std::fs::write(&password, "secret\n").unwrap();
    let login = Some(("box".to_owned(), password));
    let room = Room::new(&[mqtt(port, login)]);
    room.tell(1, AlertPhase::Raised);
    // The alert, and the state that it brings.
    wait_for("delivery", || room.status("it")["delivered"].as_u64() >= Some(2));
    wait_for("a sign of life", || room.status("it")["last_success"].is_string());

    // Who comes later learns how things stand from what is retained.
    let mut reader = Reader::on(port);
    let (retained, config) = reader.next("ha/binary_sensor/emcon_room_3/alert/config", |_| true);
    assert!(retained);
    assert_eq!(
        (config["state_topic"].as_str(), config["expire_after"].as_u64()),
        (Some("room/3/state"), Some(3))
    );
    assert_eq!(reader.next("room/3/availability", |_| true), (true, "online".into()));
    let (_, state) = reader.next("room/3/state", |state| state["open_alerts"] == 1);
    assert_eq!(state["state"], "alert");

    // Events are told once, and not kept for those who come later.
    room.tell(2, AlertPhase::Raised);
    let (retained, event) = reader.next("room/3/event", |event| event["type"] == "alert.raised");
    assert_eq!((retained, event["data"]["device"].as_str()), (false, Some("mobile-phone")));
    assert_eq!(event["room"], "Room 3");
    assert!(event["data"]["id"].as_str().unwrap().starts_with("a2-"));

    // The broker goes and comes back: what was raised meanwhile arrives.
    server.0.kill().unwrap();
    server.0.wait().unwrap();
    room.tell(3, AlertPhase::Raised);
    wait_for("failure", || room.status("it")["last_failure"].is_object());
    let _server = broker(folder.path(), port);
    let mut reader = Reader::on(port);
    let raised = |event: &Value| event["data"]["id"].as_str().is_some_and(|id| id.starts_with("a3-"));
    reader.next("room/3/event", raised);

    // Killed, it says nothing; the broker does.
    drop(room);
    assert_eq!(reader.next("room/3/availability", |value| value == "offline").1, "offline");
}

#[test]
fn a_broker_that_refuses_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let port = port();
    let _server = broker(folder.path(), port);
    let password = folder.path().join("password");
    std::fs::write(&password, "wrong").unwrap();
    let login = Some(("box".to_owned(), password));
    let results = notify::test(&[mqtt(port, login)], "Room 3").unwrap();
    let why = results[0].1.clone().unwrap_err();
    assert!(why.contains("NotAuthorized") || why.contains("BadUserNamePassword"), "{why}");
    // Without a name nobody may write there.
    let results = notify::test(&[mqtt(port, None)], "Room 3").unwrap();
    assert!(results[0].1.clone().unwrap_err().contains("NotAuthorized"), "{results:?}");
}

#[test]
fn a_log_daemon_takes_the_lines_apart() {
    let folder = tempfile::tempdir().unwrap();
    let (port, log) = (port(), folder.path().join("log"));
    let text = format!(
        "global(workDirectory=\"{0}\")\nmodule(load=\"imtcp\")\ninput(type=\"imtcp\" port=\"{port}\" address=\"127.0.0.1\")\n\
         template(name=\"t\" type=\"string\" string=\"%syslogfacility-text% %syslogseverity-text% %app-name% %msgid% %msg%\\n\")\n\
         action(type=\"omfile\" file=\"{1}\" template=\"t\")\n",
        folder.path().display(),
        log.display()
    );
    let file = folder.path().join("rsyslog.conf");
    std::fs::write(&file, text).unwrap();
    let mut command = program("rsyslogd");
    command.arg("-n").arg("-f").arg(&file).arg("-i").arg(folder.path().join("pid"));
    let _server = Server::start("rsyslogd", &mut command);
    listening(port);
    let room =
        Room::new(&[contact("it", ContactChannel::Syslog(SyslogAddress::Tcp(format!("127.0.0.1:{port}"))))]);
    room.tell(1, AlertPhase::Raised);
    let line = || {
        let text = std::fs::read_to_string(&log).unwrap_or_default();
        text.lines().find(|line| line.contains("alert.raised")).map(str::to_owned)
    };
    wait_for("the line", || line().is_some());
    let line = line().unwrap();
    let json = line.strip_prefix("local0 crit emcon alert.raised @cee: ").unwrap_or_else(|| panic!("{line}"));
    let body: Value = serde_json::from_str(json).unwrap();
    assert_eq!((body["device"].as_str(), body["room"].as_str()), (Some("mobile-phone"), Some("Room 3")));
}

#[test]
fn a_mail_server_gets_one_mail_for_each_alert() {
    let folder = tempfile::tempdir().unwrap();
    let (port, inbox) = (port(), folder.path().join("mail"));
    let mut command = Command::new("/usr/bin/python3");
    command.args([
        "-m",
        "aiosmtpd",
        "-n",
        "-l",
        &format!("127.0.0.1:{port}"),
        "-c",
        "aiosmtpd.handlers.Mailbox",
    ]);
    let _server = Server::start("aiosmtpd", command.arg(&inbox));
    listening(port);
    let channel = ContactChannel::Mail(Mail {
        server: "127.0.0.1".into(),
        port,
        security: MailSecurity::Plain,
        login: None,
        from: "emcon@example.org".into(),
        to: vec!["officer@example.org".into(), "guard@example.org".into()],
    });
    let room = Room::new(&[contact("it", channel)]);
    room.tell(1, AlertPhase::Raised);
    // The alert, and the state that it brings.
    wait_for("delivery", || room.status("it")["delivered"].as_u64() >= Some(2));
    let mails: Vec<String> = std::fs::read_dir(inbox.join("new"))
        .unwrap()
        .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap())
        // Soft line breaks of quoted-printable text (RFC 2045, 6.7).
        .map(|mail| mail.replace("=\n", ""))
        .filter(|mail| mail.contains("(alert.raised, critical)"))
        .collect();
    assert_eq!(mails.len(), 1);
    for part in [
        "From: emcon@example.org",
        "To: officer@example.org, guard@example.org",
        "Subject: [emcon Room 3] ALERT: mobile-phone (lte): 1 ms bursts",
        "Message-ID: <emcon-",
        "    1 ms bursts",
        "room: Room 3",
    ] {
        assert!(mails[0].contains(part), "{part:?} is not in\n{}", mails[0]);
    }
}
