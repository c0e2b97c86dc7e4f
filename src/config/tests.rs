//! Files, right and wrong, by the real keys and by some that have every kind of value.

use super::key::{Key, Kind, Literal, Repeated};
use super::layers::SIZE_MAX;
use super::*;
use crate::policy::Level;
use proptest::prelude::*;
use std::fs;

static POINTS: Repeated = Repeated {
    keys: &[Key::new("name", Kind::Text(20), "Name").required()],
    kinds: &[
        (
            "webhook",
            &[
                Key::new("url", Kind::Text(100), "Where").required(),
                Key::new("timeout_s", Kind::Number(0.1, 60.0), "Patience").or(Literal::Number(10.0)),
                Key::new("token_file", Kind::SecretFile, "Token"),
            ],
        ),
        ("gpio", &[Key::new("line", Kind::Integer(0, 63), "Line").required()]),
    ],
    max: 3,
};

const ALL: &[Key] = &[
    Key::new("level", Kind::Word(&["high", "low"]), "Level"),
    Key::new("bans", Kind::Words(&["a", "b"]), "Bans"),
    Key::new("hosts", Kind::Texts(2), "Hosts"),
    Key::new("on", Kind::Boolean, "On"),
    Key::new(
        "web",
        Kind::Table(&[
            Key::new("listen", Kind::Address, "Address").required(),
            Key::new("key_file", Kind::SecretFile, "Key"),
        ]),
        "Web",
    ),
    Key::new("contact", Kind::Tables(&POINTS), "Contacts"),
];

/// A folder with these files, `emcon.toml` the main one.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("conf.d")).unwrap();
    for (name, text) in files {
        fs::write(dir.path().join(name), text).unwrap();
    }
    dir
}

fn layers(files: &[(&str, &str)]) -> (tempfile::TempDir, Layers) {
    let dir = folder(files);
    let mut layers = Layers::built_in("level = \"low\"\n", ALL);
    layers.read_first(&[dir.path().to_path_buf()], ALL);
    layers.end(ALL);
    (dir, layers)
}

/// Faults as people read them, without the folder.
fn said(dir: &tempfile::TempDir, faults: &[Misfit]) -> Vec<String> {
    let folder = format!("{}/", dir.path().display());
    faults.iter().map(|fault| fault.to_string().replace(&folder, "")).collect()
}

fn loaded(files: &[(&str, &str)]) -> Result<Config, Vec<String>> {
    let dir = folder(files);
    let survey = survey_of(None, &[dir.path().to_path_buf()]);
    if survey.faults.is_empty() { Ok(survey.config) } else { Err(said(&dir, &survey.faults)) }
}

#[test]
fn what_is_built_in_is_free_of_faults_and_an_empty_file_changes_nothing() {
    let built_in = survey_of(None, &[]);
    assert_eq!((built_in.faults.as_slice(), built_in.files.len()), (&[][..], 0));
    assert_eq!((built_in.config.region, built_in.config.level), ("cn", Level::Confidential));
    assert_eq!(loaded(&[("emcon.toml", "")]).unwrap(), built_in.config);
    // As a file of its own it says the same.
    assert_eq!(loaded(&[("emcon.toml", DEFAULT)]).unwrap(), built_in.config);
}

#[test]
fn every_key_stands_in_the_default_if_only_as_a_comment() {
    fn stated(text: &str, keys: &[Key]) {
        for key in keys {
            match key.kind {
                Kind::Table(keys) => stated(text, keys),
                Kind::Tables(_) => assert!(text.contains(&format!("[[{}]]", key.name)), "{}", key.name),
                _ => {
                    let states = |line: &str| {
                        let rest = line.trim_start_matches('#').trim_start().strip_prefix(key.name);
                        rest.is_some_and(|rest| rest.trim_start().starts_with('='))
                    };
                    assert!(text.lines().any(states), "{} is not in config/emcon.toml", key.name);
                    assert!(key.default.is_none(), "the default of {} is for config/emcon.toml", key.name);
                }
            }
        }
    }
    stated(DEFAULT, KEYS);
    // What stands there as a comment is right too, once somebody takes the mark away.
    let plain: Vec<&str> = DEFAULT
        .lines()
        .map(|line| line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')).unwrap_or(line))
        .collect();
    loaded(&[("emcon.toml", &plain.join("\n"))]).unwrap();
}

#[test]
fn a_key_of_a_secret_is_a_file_and_no_other_key_sounds_like_one() {
    fn held(keys: &[Key]) {
        for key in keys {
            let secret = matches!(key.kind, Kind::SecretFile);
            assert!(!secret || key.name.ends_with("_file"), "{}: must end in _file", key.name);
            let sounds = !matches!(key.kind, Kind::Table(_))
                && ["password", "secret", "token", "passphrase"].iter().any(|word| key.name.contains(word));
            assert!(secret || !sounds, "{}: must be a SecretFile", key.name);
            match key.kind {
                Kind::Table(keys) => held(keys),
                Kind::Tables(repeated) => {
                    held(repeated.keys);
                    repeated.kinds.iter().for_each(|(_, keys)| held(keys));
                }
                _ => {}
            }
        }
    }
    held(KEYS);
}

#[test]
fn drop_ins_override_and_add_in_the_order_of_their_names() {
    let config = loaded(&[
        ("emcon.toml", "region = \"eu\"\nlevel = \"open\"\n[room]\nname = \"A\"\ndata = \"here\"\n"),
        ("conf.d/20-b.toml", "[room]\nname = \"B\"\n"),
        ("conf.d/10-a.toml", "level = \"secret\"\nroom.name = \"C\"\n"),
        ("conf.d/30.toml.dpkg-old", "nonsense"),
        ("conf.d/.40.toml", "nonsense"),
    ])
    .unwrap();
    assert_eq!((config.region, config.level, config.room.name.as_deref()), ("eu", Level::Secret, Some("B")));
    let data = config.room.data.unwrap();
    assert!(data.is_absolute() && data.ends_with("here"), "{data:?} is not beside its file");
    // Without a main file too.
    assert_eq!(loaded(&[("conf.d/a.toml", "region = \"us\"")]).unwrap().region, "us");
}

#[test]
fn all_faults_of_all_files_are_told_at_once_with_their_lines_and_keys() {
    let faults = loaded(&[
        ("emcon.toml", "region = \"mars\"\nlevel = 3\n\n[room]\ndevcie = \"x\"\nreceiver = \"abacus\"\n"),
        // What it overrides is no less wrong.
        ("conf.d/10.toml", "region = \"eu\"\nname =\n[room]\nlisten = \"7430\"\n"),
        ("conf.d/20.toml", "room = 1\n[wbe\n"),
    ])
    .unwrap_err();
    assert_eq!(
        faults,
        [
            "emcon.toml:1: region: \"mars\" must be one of cn, eu, us",
            "emcon.toml:2: level: is a whole number, must be one of top-secret, secret, confidential, open",
            "emcon.toml:5: room.devcie: unknown key: there are name, device, receiver, baseline, data, listen",
            "emcon.toml:6: room.receiver: unknown receiver \"abacus\": choose one of hackrf, rtlsdr",
            "conf.d/10.toml:2: string values must be quoted, expected literal string",
            "conf.d/10.toml:2: name: unknown key: there are region, level, policy, room, calendar, contact, web",
            "conf.d/10.toml:4: room.listen: \"7430\" must be an address and a port, as 127.0.0.1:7430",
            "conf.d/20.toml:1: room: is a whole number, must be a table",
            "conf.d/20.toml:2: unclosed table, expected `]`",
            "conf.d/20.toml:2: wbe: unknown key: there are region, level, policy, room, calendar, contact, web",
        ]
    );
}

#[test]
fn a_site_changes_what_a_level_asks_for_but_not_which_levels_there_are() {
    let built_in = survey_of(None, &[]).config;
    assert_eq!(
        built_in.policies,
        crate::policy::Policies::default(),
        "what replay goes by, and what is stated"
    );
    let text = "[policy.secret]\nbans = [\"bluetooth-device\"]\nkeep_days = 30\n";
    let policies = loaded(&[("emcon.toml", text)]).unwrap().policies;
    let secret = policies.of(Level::Secret);
    assert_eq!((secret.bans.len(), secret.keep_days, secret.evidence), (1, 30, true));
    assert_eq!(policies.of(Level::TopSecret), built_in.policies.of(Level::TopSecret));
    let faults = loaded(&[(
        "emcon.toml",
        "[policy.silent]\nbans = []\n[policy.secret]\nbans = [\"toaster\"]\nkeep_days = 0\n[policy.confidential]\nbans = []\n",
    )])
    .unwrap_err();
    assert_eq!(
        faults,
        [
            "emcon.toml:1: policy.silent: unknown key: there are top-secret, secret, confidential, open",
            "emcon.toml:4: policy.secret.bans: \"toaster\" must be one of mobile-phone, walkie-talkie, cordless-phone, \
             wireless-microphone, wireless-keyboard, wireless-network-card, bluetooth-device, other-wireless",
            "emcon.toml:5: policy.secret.keep_days: 0 must be from 1 to 36525",
            "emcon.toml:7: policy.confidential.bans: is empty: a meeting in which nothing is banned is of level open",
        ]
    );
}

#[test]
fn changes_are_told_by_key_and_by_whether_they_wait_for_a_start() {
    let surveyed = |text: &str| {
        let dir = folder(&[("emcon.toml", text)]);
        survey_of(None, &[dir.path().to_path_buf()])
    };
    let before = surveyed("[room]\nname = \"A\"\n[policy.open]\nkeep_days = 7\n");
    // Where it stands, and a default that is stated, are no change.
    let same = surveyed("# moved\nregion = \"cn\"\n[policy.open]\nkeep_days = 7\n[room]\nname = \"A\"\n");
    assert_eq!(same.changes(&before), []);
    let after = surveyed("region = \"eu\"\n[room]\ndevice = \"driver=hackrf\"\n");
    let changed: Vec<_> =
        after.changes(&before).into_iter().map(|change| (change.key, change.at_start)).collect();
    let expected =
        [("region", true), ("policy.open.keep_days", false), ("room.name", false), ("room.device", true)];
    assert_eq!(changed, expected.map(|(key, at_start)| (key.to_owned(), at_start)));
}

#[test]
fn repeated_tables_of_all_files_add_up_and_an_empty_list_forgets_them() {
    let hook = |name: &str| format!("[[contact]]\nkind = \"webhook\"\nname = \"{name}\"\nurl = \"u\"\n");
    let names = |layers: &Layers| -> Vec<String> {
        let root = Table::root(&layers.nodes, ALL);
        root.tables("contact").iter().map(|table| table.text("name").unwrap().to_owned()).collect()
    };
    let (main, one, two) = (hook("a"), hook("b"), "contact = []\n".to_owned());
    let (dir, both) = layers(&[("emcon.toml", &main), ("conf.d/1.toml", &one)]);
    assert_eq!(said(&dir, &both.faults), [""; 0]);
    assert_eq!(names(&both), ["a", "b"]);
    let root = Table::root(&both.nodes, ALL);
    let contact = &root.tables("contact")[1];
    assert_eq!(
        (contact.kind(), contact.number("timeout_s"), contact.path("token_file")),
        (Some("webhook"), Some(10.0), None)
    );
    // Counted within its own file.
    assert_eq!(said(&dir, &[contact.misfit("url", "x")]), ["conf.d/1.toml:4: contact[0].url: x"]);
    assert_eq!(
        said(&dir, &[contact.misfit("token_file", "x")]),
        ["conf.d/1.toml:1: contact[0].token_file: x"]
    );
    let (_dir, none) = layers(&[("emcon.toml", &main), ("conf.d/1.toml", &two)]);
    assert_eq!(names(&none), [""; 0]);
}

#[test]
fn each_kind_of_value_is_held_to_its_form() {
    let check = |text: &str, expected: &[&str]| {
        let (dir, layers) = layers(&[("emcon.toml", text)]);
        assert_eq!(said(&dir, &layers.faults), expected, "{text}");
    };
    check("bans = [\"a\", \"b\"]\nhosts = []\non = true\nlevel = \"high\"", &[]);
    check("bans = \"a\"", &["emcon.toml:1: bans: is a text, must be a list of words"]);
    check("bans = [\"a\", \"c\"]", &["emcon.toml:1: bans: \"c\" must be one of a, b"]);
    check("bans = [\"a\", \"a\"]", &["emcon.toml:1: bans: says something twice"]);
    check("hosts = [\"x\", \"\"]", &["emcon.toml:1: hosts: is empty"]);
    check("hosts = [\"x\", \"y\", \"z\"]", &["emcon.toml:1: hosts: has 3 entries, at most 2 are possible"]);
    check("on = 1", &["emcon.toml:1: on: is a whole number, must be true or false"]);
    check("web = 1", &["emcon.toml:1: web: is a whole number, must be a table"]);
    check("[web]", &["emcon.toml:1: web.listen: is missing"]);
    check(
        "web.listen = \"[::1]:80\"\nweb.key_file = \"\"",
        &["emcon.toml:2: web.key_file: must be a path of 1 to 4096 bytes"],
    );
    check(
        "web.listen = 2026-01-01",
        &["emcon.toml:1: web.listen: is a date or time, must be an address and a port in quotes"],
    );
    check(
        "contact = \"x\"",
        &["emcon.toml:1: contact: is a text, must be tables: write [[name]] above each"],
    );
    check("contact = [1]", &["emcon.toml:1: contact: is a list, must be tables: write [[name]] above each"]);
    check("[[contact]]\nname = \"x\"", &["emcon.toml:1: contact[0].kind: is missing"]);
    check(
        "[[contact]]\nkind = \"fax\"",
        &["emcon.toml:2: contact[0].kind: \"fax\" must be one of webhook, gpio"],
    );
    check(
        "[[contact]]\nkind = \"gpio\"\nline = 99999999999999999999\nurl = 1\n",
        &[
            "emcon.toml:3: line: is a whole number beyond 64 bits",
            "emcon.toml:4: contact[0].url: unknown key: there are name, line",
            "emcon.toml:1: contact[0].name: is missing",
        ],
    );
    check(
        "[[contact]]\nkind = \"gpio\"\nline = 64\nname = \"a\\nb\"\n",
        &[
            "emcon.toml:3: contact[0].line: 64 must be from 0 to 63",
            "emcon.toml:4: contact[0].name: has a control character, as a line's end",
        ],
    );
    check(
        "[[contact]]\nkind = \"webhook\"\nurl = \"u\"\ntimeout_s = nan\nname = \"abcdefghijklmnopqrstu\"\n",
        &[
            "emcon.toml:5: contact[0].name: has 21 characters, at most 20 are possible",
            "emcon.toml:4: contact[0].timeout_s: NaN must be from 0.1 to 60",
        ],
    );
    let four = "[[contact]]\nkind = \"gpio\"\nname = \"a\"\nline = 1\n".repeat(4);
    check(&four, &["emcon.toml:1: contact: there are 4, at most 3 are possible"]);
}

#[test]
fn files_that_cannot_be_read_are_said_and_the_others_are_checked_all_the_same() {
    let dir = folder(&[("conf.d/b.toml", "x = 1")]);
    let main = dir.path().join("emcon.toml");
    let mut text = "#".repeat(SIZE_MAX as usize - 1) + "\n";
    fs::write(&main, &text).unwrap();
    fs::create_dir(dir.path().join("conf.d/a.toml")).unwrap();
    let told = |main: &Path| said(&dir, &survey_of(Some(main), &[]).faults);
    let others = [
        "conf.d/a.toml: cannot be read: it is no regular file",
        "conf.d/b.toml:1: x: unknown key: there are",
    ];
    let others = |told: &[String]| others.iter().all(|start| told.iter().any(|line| line.starts_with(start)));
    assert!(told(&main).len() == 2 && others(&told(&main)), "{:?}", told(&main));
    text.push('\n');
    fs::write(&main, &text).unwrap();
    assert_eq!(
        told(&main)[0],
        "emcon.toml: cannot be read: it is larger than 1 MiB: not a configuration of emcon"
    );
    assert!(others(&told(&main)));
    fs::write(&main, b"region = \"\xff\"").unwrap();
    assert_eq!(told(&main)[0], "emcon.toml: cannot be read: it is not UTF-8 text");
    fs::remove_file(&main).unwrap();
    assert!(told(&main)[0].starts_with("emcon.toml: cannot be read: No such file"), "{:?}", told(&main));
    let endless = survey_of(Some(Path::new("/dev/zero")), &[]);
    assert!(endless.faults[0].what.contains("larger than 1 MiB"), "{:?}", endless.faults);
}

#[test]
fn the_first_folder_with_a_file_wins() {
    let (user, machine) = (folder(&[]), folder(&[("emcon.toml", "region = \"us\"")]));
    let folders = [user.path().to_path_buf(), machine.path().to_path_buf()];
    assert_eq!(survey_of(None, &folders).config.region, "us");
    fs::write(user.path().join("conf.d/x.toml"), "level = \"open\"").unwrap();
    let config = survey_of(None, &folders).config;
    assert_eq!((config.region, config.level), ("cn", Level::Open));
}

#[test]
fn what_is_shown_says_where_it_stands_and_can_be_read_again() {
    let (dir, layers) = layers(&[
        ("emcon.toml", "level = \"high\"\n[web]\nlisten = \"127.0.0.1:1\"\nkey_file = \"key\"\n"),
        (
            "conf.d/1.toml",
            "hosts = [\"a\", \"b \\\"c\"]\n[[contact]]\nkind = \"webhook\"\nname = \"n\"\nurl = \"u\"\n",
        ),
    ]);
    assert_eq!(said(&dir, &layers.faults), [""; 0]);
    fs::write(dir.path().join("key"), "hush").unwrap();
    let shown = show::as_toml(&layers.nodes, ALL);
    let folder = dir.path().display().to_string();
    assert_eq!(
        shown.replace(&folder, "/etc"),
        "# The configuration that holds, each value with where it stands.\n\
         level = \"high\"  # /etc/emcon.toml:1\n\
         hosts = [\"a\", 'b \"c']  # /etc/conf.d/1.toml:1\n\
         \n[web]\n\
         listen = \"127.0.0.1:1\"  # /etc/emcon.toml:3\n\
         key_file = \"/etc/key\"  # /etc/emcon.toml:4\n\
         \n[[contact]]  # /etc/conf.d/1.toml:2\n\
         kind = \"webhook\"  # /etc/conf.d/1.toml:3\n\
         name = \"n\"  # /etc/conf.d/1.toml:4\n\
         url = \"u\"  # /etc/conf.d/1.toml:5\n\
         timeout_s = 10.0  # default\n"
    );
    let again = Layers::built_in(&shown, ALL);
    assert_eq!(again.faults, []);
    let (json, again) = (show::as_json(&layers.nodes, ALL), show::as_json(&again.nodes, ALL));
    assert_eq!(json["values"], again["values"]);
    assert_eq!(json["values"]["contact"][0]["timeout_s"], 10.0);
    assert_eq!(json["places"]["contact[0].url"]["line"], 5);
    assert!(!json.to_string().contains("hush"));
}

#[test]
fn secrets_are_read_from_files_and_not_printed() {
    let (dir, layers) = layers(&[(
        "emcon.toml",
        "[web]\nlisten = \"127.0.0.1:1\"\nkey_file = \"key\"\n\
         [[contact]]\nkind = \"webhook\"\nname = \"n\"\nurl = \"u\"\ntoken_file = \"none\"\n",
    )]);
    let key = dir.path().join("key");
    fs::write(&key, "  hush\n").unwrap();
    assert_eq!(secret(&key).unwrap().reveal(), "hush");
    assert_eq!(format!("{:?}", secret(&key).unwrap()), "Secret");
    let mut faults = Vec::new();
    secret::check(&layers.nodes, &ALL.iter().collect::<Vec<_>>(), "", &mut faults);
    let told = said(&dir, &faults);
    assert!(told[0].starts_with("emcon.toml:8: contact[0].token_file: none: cannot be read:"), "{told:?}");
    assert_eq!(told.len(), 1);
    for (bytes, what) in
        [(&b" \n"[..], "empty"), (b"\xff", "not UTF-8"), (&[b'x'; 20_000], "larger than 16 KiB")]
    {
        fs::write(&key, bytes).unwrap();
        assert!(secret(&key).unwrap_err().contains(what));
    }
}

#[test]
fn the_schema_in_docs_is_that_of_the_keys() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/config.schema.json");
    let written: serde_json::Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!(written, schema(), "run `cargo run -- config schema > docs/config.schema.json`");
}

#[test]
fn the_schema_describes_every_kind() {
    let schema = schema::schema(ALL, &Layers::built_in("level = \"low\"", ALL).nodes);
    let of = |key: &str| schema["properties"][key].clone();
    assert_eq!(of("level")["default"], "low");
    assert_eq!(of("bans")["items"]["enum"][1], "b");
    assert_eq!(of("web")["additionalProperties"], false);
    assert_eq!(of("web")["required"], serde_json::Value::Null, "another file may give it");
    let webhook = &of("contact")["items"]["oneOf"][0];
    assert_eq!(webhook["properties"]["kind"]["const"], "webhook");
    assert_eq!(webhook["required"], serde_json::json!(["kind", "name", "url"]));
    assert_eq!(webhook["properties"]["timeout_s"]["default"], 10.0);
}

proptest! {
    /// Whatever stands in a file: no panic, and what is read without fault is shown and read again as the same.
    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,40}|[a-z\\[\\]\"=.\n#0-9 ]{0,60}") {
        let layers = Layers::built_in(&text, KEYS);
        let mut faults = Vec::new();
        let config = sections::read(&Table::root(&layers.nodes, KEYS), &mut faults);
        if layers.faults.is_empty() && faults.is_empty() {
            let again = Layers::built_in(&show::as_toml(&layers.nodes, KEYS), KEYS);
            prop_assert_eq!(sections::read(&Table::root(&again.nodes, KEYS), &mut faults), config);
        }
    }
}

#[test]
fn contacts_are_read_and_what_they_cannot_be_is_told() {
    let config = loaded(&[(
        "emcon.toml",
        "[[contact]]\nkind = \"webhook\"\nname = \"siem\"\nurl = \"https://siem.example/x\"\nsecret_file = \"key\"\n\
         levels = [\"secret\"]\nmin_severity = \"critical\"\n\
         [[contact]]\nkind = \"syslog\"\nname = \"log\"\nto = \"unix:/dev/log\"\nheartbeat_s = 0\n\
         [[contact]]\nkind = \"mail\"\nname = \"mail\"\nserver = \"m\"\nfrom = \"a@b\"\nto = [\"c@d\"]\n",
    )])
    .unwrap();
    let [siem, log, mail] = config.contacts.as_slice() else { panic!("{:?}", config.contacts) };
    assert_eq!((siem.min_severity, siem.heartbeat_s), (Severity::Critical, 60));
    assert_eq!(siem.levels, Some(vec![Level::Secret]));
    assert!(
        matches!(&siem.channel, ContactChannel::Webhook { secret_file: Some(file), .. } if file.ends_with("key"))
    );
    assert_eq!(log.channel, ContactChannel::Syslog(SyslogAddress::Unix("/dev/log".into())));
    assert_eq!((log.heartbeat_s, log.min_severity, log.levels.clone()), (0, Severity::Info, None));
    let ContactChannel::Mail(mail) = &mail.channel else { panic!("{mail:?}") };
    assert_eq!((mail.port, mail.security), (587, MailSecurity::StartTls));

    let check = |keys: &str, expected: &str| {
        let text = format!("[[contact]]\nname = \"x\"\n{}", keys.replace('\'', "\""));
        let faults = loaded(&[("emcon.toml", &text)]).unwrap_err();
        assert!(faults.len() == 1 && faults[0].contains(expected), "{keys}: {faults:?}");
    };
    let mqtt = loaded(&[(
        "emcon.toml",
        "[[contact]]\nkind = \"mqtt\"\nname = \"m\"\nurl = \"mqtts://[::1]\"\ntopic = \"a/b\"\n",
    )]);
    let ContactChannel::Mqtt(mqtt) = &mqtt.unwrap().contacts[0].channel else { panic!() };
    assert_eq!((mqtt.host.as_str(), mqtt.port, mqtt.tls, mqtt.topic.as_str()), ("::1", 8883, true, "a/b"));

    let password = "user = 'u'\npassword_file = 'f'";
    check("kind = 'mqtt'\nurl = 'tcp://x'", "contact[0].url: must be mqtts://HOST");
    check("kind = 'mqtt'\nurl = 'mqtt://x:99999'", "contact[0].url: must be mqtts://HOST");
    check(&format!("kind = 'mqtt'\nurl = 'mqtt://x'\n{password}"), "a password goes over mqtts:// only");
    check("kind = 'mqtt'\nurl = 'mqtt://x'\ntopic = 'a/#'", "contact[0].topic: must not hold + or #");
    check("kind = 'webhook'\nurl = 'ftp://x'", "emcon.toml:4: contact[0].url: must be https://");
    check("kind = 'webhook'\nurl = 'http://me:pw@x/'", "contact[0].url: must not hold a name or a password");
    check("kind = 'webhook'\nurl = 'http://x/'\ntemplate = '{{ a'", "contact[0].template: is no template");
    check("kind = 'command'\nargv = ['siren']", "contact[0].argv: must begin with the program's whole path");
    check("kind = 'syslog'\nto = 'tcp://x'", "contact[0].to: must be udp://HOST:PORT");
    check(
        "kind = 'mail'\nserver = 'm'\nfrom = 'a@b'\nto = ['c@d']\nuser = 'u'",
        "contact[0].user: needs password_file",
    );
    check(
        "kind = 'mail'\nserver = 'm'\nfrom = 'a@b'\nto = ['c@d']\nsecurity = 'plain'",
        "contact[0].security: plain is for a server on this machine only",
    );
    check(
        "kind = 'command'\nargv = ['/bin/a']\n[[contact]]\nkind = 'command'\nname = 'x'\nargv = ['/bin/a']",
        "contact[1].name: another contact is called so",
    );
    check(
        "kind = 'command'\nargv = ['/bin/a']\n[[contact]]\nkind = 'command'\nname = 'a b'\nargv = ['/b']",
        "contact[1].name: must be of letters",
    );
}
