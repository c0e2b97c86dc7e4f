//! `synth` from a scene's text to files that `recording` reads back.
#![allow(clippy::unwrap_used)] // helpers of tests fail by panicking

use std::path::Path;

use emcon::iq::Samples;
use emcon::synth::{Renderer, Scene, write_recording};

const SCENE: &str = r#"
    name = "two tunings"
    seed = 5
    datetime = "2025-03-01T09:00:00Z"
    [receiver]
    model = "rtlsdr"
    rate = "1M"
    [impairments]
    drops = [{ at = 0.02, samples = 100 }]
    ppm = 10
    [[segment]]
    center = "446M"
    duration = 0.05
    [[segment]]
    center = "433M"
    duration = 0.1
    start = 0.2
    [[emitter]]
    name = "voice"
    kind = "nfm"
    freq = "446.1M"
    snr_db = 20
    on = [[0.01, 0.03], [0.04, 0.25]]
    [[emitter]]
    name = "remote control"
    kind = "ook"
    freq = "433.2M"
    level_dbfs = -10
    on = [[0.21, 0.22]]
    repeats = 2
    [[emitter]]
    name = "elsewhere"
    kind = "cw"
    freq = "500M"
    snr_db = 20
"#;

fn written(dir: &Path) -> (Vec<u8>, serde_json::Value, serde_json::Value) {
    let scene = Scene::from_toml(SCENE).unwrap();
    let mut done = 0;
    let out = write_recording(&scene, &dir.join("two.tunings"), |at, total| {
        assert!(at > done && at <= total);
        done = at;
    })
    .unwrap();
    assert_eq!(out.samples, 149_900);
    assert_eq!(out.meta, dir.join("two.tunings.sigmf-meta"));
    assert_eq!(out.truth, dir.join("two.tunings.truth.json"));
    let json = |path: &Path| serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    (std::fs::read(dir.join("two.tunings.sigmf-data")).unwrap(), json(&out.meta), json(&out.truth))
}

#[test]
fn a_scene_becomes_a_recording_and_its_truth() {
    let dir = tempfile::tempdir().unwrap();
    let (data, meta, truth) = written(dir.path());
    assert_eq!(data.len(), 2 * 149_900);
    assert_eq!(meta["global"]["core:datatype"], "cu8");
    let captures = meta["captures"].as_array().unwrap();
    assert_eq!(captures.len(), 2);
    assert_eq!(captures[1]["core:sample_start"], 49_900);
    assert_eq!(captures[1]["core:frequency"], 433e6);
    let date = captures[1]["core:datetime"].as_str().unwrap();
    assert!(date.starts_with("2025-03-01T09:00:00.2"), "{date}");

    let emitters = truth["emitters"].as_array().unwrap();
    assert_eq!(emitters.len(), 3);
    assert_eq!(truth["dropped_samples"], 100);
    let voice = &emitters[0];
    assert_eq!((voice["signal"].as_str(), voice["device"].as_str()), (Some("nfm"), Some("walkie-talkie")));
    assert_eq!(voice["bursts"], 2, "the second on-time ends with the segment, not seen again in the other");
    let near = |value: &serde_json::Value, expected: f64, tolerance: f64| {
        let value = value.as_f64().unwrap();
        assert!((value - expected).abs() <= tolerance, "{value}, not {expected}");
    };
    // A clock 10 ppm fast reads 4461 Hz too little, and every time 10 ppm late; 100 lost samples make 0.1 ms.
    near(&voice["center_hz"], 446.1e6 - 4461.0, 300.0);
    near(&voice["first_s"], 0.01, 1e-6);
    near(&voice["last_s"], 0.0499, 1e-6);
    near(&voice["snr_db"], 20.0, 1e-9);
    let remote = &emitters[1];
    // 24 bits and a last pulse, twice.
    assert_eq!(remote["bursts"], 50);
    near(&remote["first_s"], 0.21, 5e-6);
    assert_eq!(emitters[2]["bursts"], 0);
    assert!(emitters[2]["first_s"].is_null());
}

#[test]
fn the_same_scene_gives_the_same_bytes() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    assert!(written(one.path()) == written(other.path()));
}

#[test]
fn a_recording_in_memory_is_the_one_on_disk() {
    let dir = tempfile::tempdir().unwrap();
    let (data, _, _) = written(dir.path());
    let mut renderer = Renderer::new(&Scene::from_toml(SCENE).unwrap());
    let Samples::Cu8(samples) = renderer.render_block(40_000, 20_000) else {
        panic!("the scene asks for cu8")
    };
    assert_eq!(samples.concat(), data[80_000..120_000]);
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    let scene = Scene::from_toml("duration = 0.001\n[receiver]\ncenter = 1e8").unwrap();
    let error = write_recording(&scene, Path::new("/nonexistent/x"), |_, _| ()).unwrap_err();
    assert!(error.to_string().contains("/nonexistent/x"), "{error}");
}
