//! Scenes that parse, and errors that name their key.

use super::*;

fn error(text: &str) -> String {
    match Scene::from_toml(text) {
        Ok(_) => panic!("accepted: {text}"),
        Err(error) => error.to_string(),
    }
}

fn with(rest: &str) -> String {
    format!("duration = 1\n[receiver]\ncenter = \"100M\"\n{rest}")
}

/// The documentation's example, character by character, and what is special about it.
#[test]
fn the_documented_example_parses() {
    let docs = include_str!("../../../docs/scenes.md");
    let examples: Vec<&str> =
        docs.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(examples.len(), 2);
    let scene = Scene::from_toml(examples[0]).unwrap();
    assert_eq!(scene.receiver.format, SampleFormat::Cu8);
    assert_eq!(scene.receiver.rate_hz, 2.4e6);
    assert_eq!(scene.emitters.len(), 3);
    assert!(scene.emitters[0].ambient && !scene.emitters[1].ambient);
    assert_eq!(scene.emitters[1].freq_hz, 446_006_250.0);
    assert_eq!(scene.emitters[2].name, "dmr 3");
    assert_eq!(scene.impairments.drops, [Loss { at_s: 2.7, samples: 10_000 }]);
    assert_eq!(scene.datetime.unwrap().to_string(), "2025-03-01T09:00:00Z");

    let retuned = Scene::from_toml(examples[1]).unwrap();
    let centers: Vec<f64> = retuned.segments.iter().map(|s| s.center_hz).collect();
    assert_eq!(centers, [2412e6, 2462e6]);
    assert_eq!(retuned.segments[1].start_s, 0.25);
    assert_eq!(retuned.receiver.format, SampleFormat::Ci8);
}

/// Every kind has a row in the documentation, and every row a kind.
#[test]
fn every_kind_is_documented() {
    let docs = include_str!("../../../docs/scenes.md");
    let rows = docs.split("| kind | keys |").nth(1).unwrap();
    for kind in kinds::names() {
        assert!(rows.contains(&format!("`{kind}`")), "{kind} is not documented");
        let scene = with(&format!("[[emitter]]\nkind = \"{kind}\"\nfreq = \"100M\"\nsnr_db = 10"));
        assert!(Scene::from_toml(&scene).is_ok(), "{kind} is not built by its defaults");
    }
}

#[test]
fn bundled_scenes_parse() {
    let scene = Scene::from_toml(include_str!("../../../config/scenes/meeting.toml")).unwrap();
    assert_eq!(scene.emitters.iter().filter(|emitter| emitter.ambient).count(), 1);
    assert!(scene.duration_s <= 5.0, "make run waits for it");
}

#[test]
fn errors_name_their_key() {
    let emitter = |rest: &str| with(&format!("[[emitter]]\nkind = \"cw\"\nfreq = \"100M\"\n{rest}"));
    let cases = [
        ("duration = 1".to_owned(), "receiver"),
        ("duration = 1\n[receiver]\nrate = \"2M\"".to_owned(), "receiver.center"),
        ("[receiver]\ncenter = 1e8".to_owned(), "duration"),
        (with("rate = \"fast\""), "fast"),
        (with("rate = 0"), "receiver.rate"),
        (with("gain = 3"), "gain"),
        (with("noise_dbfs = -30\nnoise_dbfs_per_hz = -100"), "receiver.noise_dbfs"),
        (with("[impairments]\nrolloff = 2"), "impairments.rolloff"),
        (with("[impairments]\nstuck = [[3, 2]]"), "impairments.stuck"),
        (with("format = \"cu8\"\n[impairments]\nnan = [[0, 1]]"), "impairments.nan"),
        (emitter("snr_db = 10\nbandwidth_hz = 3"), "bandwidth_hz"),
        (emitter("snr_db = 10\nlevel_dbfs = 3"), "snr_db"),
        (emitter(""), "snr_db"),
        (emitter("snr_db = nan"), "snr_db"),
        (emitter("snr_db = 10\non = [[0, 1], [0.5, 2]]"), "emitter[0].on"),
        (emitter("snr_db = 10\nramp_s = -1"), "emitter[0].ramp_s"),
        (emitter("snr_db = 10\ntwo_ray = { delay_s = 1, db = 0 }"), "two_ray.delay_s"),
        (with("[[emitter]]\nkind = \"smoke\"\nfreq = 1\nsnr_db = 1"), "smoke"),
        (with("[[segment]]\ncenter = 1e8\nduration = 1"), "segment"),
        (format!("datetime = \"yesterday\"\n{}", with("")), "datetime"),
    ];
    for (text, key) in cases {
        let message = error(&text);
        assert!(message.contains(key), "\"{message}\" does not name {key}");
    }
}

/// Levels, rates and times that overflow must end in an error or a scene, never in a panic.
#[test]
fn absurd_numbers_do_no_harm() {
    for text in [
        with("rate = 1e308"),
        with("noise_dbfs = 1e308"),
        "duration = 1e308\n[receiver]\ncenter = 1e308".to_owned(),
        with("[impairments]\nppm = -1e308"),
        with("[[emitter]]\nkind = \"cw\"\nfreq = 1e308\nsnr_db = 1e308"),
    ] {
        assert!(Scene::from_toml(&text).is_err(), "{text}");
    }
}
