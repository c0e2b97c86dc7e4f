//! A broker of MQTT 5: what happens as events, and the room's state as retained topics, which Home Assistant finds by itself.
//!
//! | topic | what | retained |
//! | --- | --- | --- |
//! | `TOPIC/event` | each message, as webhooks get it | no |
//! | `TOPIC/state` | what signs of life say | yes |
//! | `TOPIC/availability` | `online`, or, by the last will, `offline` | yes |
//! | `PREFIX/.../config` | what Home Assistant shows | yes |
//!
//! A connection is kept between messages. One that breaks is made anew for the next message; what the broker did not
//! acknowledge is sent again by the queue, with the same id.

use super::channel::causes;
use super::message::Message;
use super::queue::Failure;
use crate::config::{Mqtt, secret};
use rumqttc::mqttbytes::v5::PubAckReason;
use rumqttc::{
    AsyncClient, Broker, EventLoop, LastWill, MqttOptions, PublishNoticeError, PublishOptions, QoS, Transport,
};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// The broker tells others that the room is gone one and a half times that after it heard nothing (MQTT 5.0, 3.1.2.10),
/// seconds.
const KEEP_ALIVE_S: u16 = 10;
/// A connection must stand within this time.
const CONNECT: Duration = Duration::from_secs(5);
/// Publications on their way at a time.
const UNDERWAY: usize = 64;
/// Signs of life that Home Assistant may miss before it says `unavailable`.
const MISSED: u32 = 3;

/// A contact that is a broker.
pub struct Publisher {
    options: MqttOptions,
    topics: Topics,
    discovery: Vec<(String, Value)>,
    room: Arc<str>,
    /// What the last sign of life said.
    state: Value,
    connection: Option<Connection>,
}

struct Topics {
    event: String,
    state: String,
    availability: String,
}

/// A connection that somebody drives.
struct Connection {
    client: AsyncClient,
    driver: JoinHandle<()>,
    /// Why it ended, once it has.
    ended: watch::Receiver<Option<String>>,
}

impl Drop for Connection {
    /// Breaks it off, so that the broker makes the last will known.
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Publisher {
    /// See [`super::channel::Channel::new`]. Signs of life come every `heartbeat_s`.
    pub fn new(mqtt: &Mqtt, name: &str, heartbeat_s: u32, room: &Arc<str>) -> Result<Self, String> {
        let topic = |leaf: &str| format!("{}/{leaf}", mqtt.topic);
        let topics =
            Topics { event: topic("event"), state: topic("state"), availability: topic("availability") };
        let id = identifier(&mqtt.topic);
        let mut options = MqttOptions::new(format!("emcon-{id}-{name}"), Broker::tcp(&mqtt.host, mqtt.port));
        options.set_keep_alive(KEEP_ALIVE_S).set_clean_start(true).set_connect_timeout(CONNECT);
        options.set_last_will(LastWill::new(
            topics.availability.as_str(),
            "offline",
            QoS::AtLeastOnce,
            true,
            None,
        ));
        if mqtt.tls {
            // One that is there already does as well.
            let _ = rustls::crypto::ring::default_provider().install_default();
            let tls = Transport::try_tls_with_default_config().map_err(|error| causes(&error))?;
            options.set_transport(tls);
        }
        if let Some((user, file)) = &mqtt.login {
            options.set_credentials(user.clone(), secret(file)?.reveal().to_owned());
        }
        let discovery = mqtt.discovery.as_deref().map(|prefix| {
            let expire_s = (heartbeat_s > 0).then(|| heartbeat_s.saturating_mul(MISSED));
            discovery(prefix, &id, &topics, room, expire_s)
        });
        Ok(Self {
            options,
            topics,
            discovery: discovery.unwrap_or_default(),
            room: room.clone(),
            state: Value::Null,
            connection: None,
        })
    }

    /// See [`super::channel::Channel::send`].
    pub async fn send(&mut self, batch: &[Message]) -> Result<(), Failure> {
        let sent = self.publish_all(batch).await;
        if matches!(sent, Err(Failure::Unreached(..))) {
            self.disconnect();
        }
        sent
    }

    /// The connection is not gone on with.
    pub fn disconnect(&mut self) {
        self.connection = None;
    }

    async fn publish_all(&mut self, batch: &[Message]) -> Result<(), Failure> {
        if self.connection.as_ref().is_none_or(|connection| connection.driver.is_finished()) {
            self.connect().await?;
        }
        for message in batch.iter().filter(|message| message.kind != "heartbeat") {
            let document = message.document(&self.room, &[]);
            self.publish(&self.topics.event, document.to_string(), false).await?;
        }
        for message in batch {
            match message.kind.as_str() {
                "heartbeat" => self.state.clone_from(&message.data),
                // The next sign of life says the rest.
                "state.changed" if self.state.is_object() => {
                    for key in ["mode", "state"] {
                        self.state[key] = message.data[key].clone();
                    }
                }
                _ => continue,
            }
            self.publish(&self.topics.state, self.state.to_string(), true).await?;
        }
        Ok(())
    }

    /// Connects, and makes known that the room is there.
    async fn connect(&mut self) -> Result<(), Failure> {
        let built = AsyncClient::builder(self.options.clone()).capacity(UNDERWAY).try_build();
        let (client, eventloop) = built.map_err(|error| Failure::Gone(causes(&error)))?;
        let (end, ended) = watch::channel(None);
        let driver = tokio::spawn(drive(eventloop, end));
        self.connection = Some(Connection { client, driver, ended });
        self.publish(&self.topics.availability, "online".into(), true).await?;
        for (topic, config) in &self.discovery {
            self.publish(topic, config.to_string(), true).await?;
        }
        Ok(())
    }

    /// Publishes, and waits until the broker has it.
    async fn publish(&self, topic: &str, payload: String, retained: bool) -> Result<(), Failure> {
        let unreached = |why: String| Failure::Unreached(why, None);
        let Some(connection) = &self.connection else { return Err(unreached("no connection".into())) };
        let options = PublishOptions::new(QoS::AtLeastOnce).retain(retained);
        let published = async {
            let notice = connection.client.publish_tracked(topic, payload, options).await;
            match notice.map_err(|error| unreached(causes(&error)))?.wait_completion_async().await {
                Ok(()) | Err(PublishNoticeError::V5PubAck(PubAckReason::NoMatchingSubscribers)) => Ok(()),
                Err(error @ PublishNoticeError::V5PubAck(_)) => {
                    Err(Failure::Refused(format!("{topic}: {error}")))
                }
                Err(error) => Err(unreached(causes(&error))),
            }
        };
        // What waits in a connection that ended waits for ever.
        let mut ended = connection.ended.clone();
        tokio::select! {
            biased;
            why = ended.wait_for(Option::is_some) => {
                let why = why.ok().and_then(|why| why.clone());
                Err(unreached(why.unwrap_or_else(|| "the connection ended".into())))
            }
            published = published => published,
        }
    }
}

/// Keeps a connection going until it breaks.
async fn drive(mut eventloop: EventLoop, end: watch::Sender<Option<String>>) {
    loop {
        if let Err(error) = eventloop.poll().await {
            // Nobody waits for it any more: fine.
            let _ = end.send(Some(causes(&error)));
            return;
        }
    }
}

/// `topic` as part of a name: letters, digits and `_`.
fn identifier(topic: &str) -> String {
    topic.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

/// What Home Assistant shows of a room, as topics and documents (its MQTT integration, "MQTT discovery").
fn discovery(
    prefix: &str,
    id: &str,
    topics: &Topics,
    room: &str,
    expire_s: Option<u32>,
) -> Vec<(String, Value)> {
    let name = if room.is_empty() { "emcon" } else { room };
    let device = json!({
        "identifiers": [format!("emcon_{id}")],
        "name": name,
        "manufacturer": "emcon",
        "model": "guard of a room's ban on wireless devices",
        "sw_version": env!("CARGO_PKG_VERSION"),
    });
    let entity = |component: &str, key: &str, more: Value| {
        let mut config = json!({
            "unique_id": format!("emcon_{id}_{key}"),
            "state_topic": topics.state,
            "availability_topic": topics.availability,
            "device": device,
        });
        if let Some(expire_s) = expire_s {
            config["expire_after"] = expire_s.into();
        }
        for (key, value) in more.as_object().into_iter().flatten() {
            config[key] = value.clone();
        }
        (format!("{prefix}/{component}/emcon_{id}/{key}/config"), config)
    };
    vec![
        entity("sensor", "state", json!({ "name": "State", "value_template": "{{ value_json.state }}" })),
        entity(
            "sensor",
            "open_alerts",
            json!({
                "name": "Open alerts",
                "state_class": "measurement",
                "value_template": "{{ value_json.open_alerts }}",
            }),
        ),
        entity(
            "binary_sensor",
            "alert",
            json!({
                "name": "Alert",
                "device_class": "problem",
                "value_template": "{{ 'ON' if value_json.open_alerts > 0 or value_json.state == 'alert' else 'OFF' }}",
            }),
        ),
        entity(
            "binary_sensor",
            "blind",
            json!({
                "name": "Blind",
                "device_class": "problem",
                "value_template": "{{ 'ON' if value_json.state in ['blind', 'tamper'] else 'OFF' }}",
            }),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn home_assistant_is_told_of_each_entity_once_and_under_names_of_its_own() {
        let topic = |leaf: &str| format!("site/room 3/{leaf}");
        let topics =
            Topics { event: topic("event"), state: topic("state"), availability: topic("availability") };
        let all = discovery("homeassistant", &identifier("site/room 3"), &topics, "Room 3", Some(30));
        assert_eq!(all[0].0, "homeassistant/sensor/emcon_site_room_3/state/config");
        let mut ids: Vec<&str> =
            all.iter().map(|(_, config)| config["unique_id"].as_str().unwrap()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 4);
        for (topic, config) in &all {
            assert!(topic.starts_with("homeassistant/") && topic.ends_with("/config"), "{topic}");
            assert_eq!(config["state_topic"], "site/room 3/state");
            assert_eq!(config["availability_topic"], "site/room 3/availability");
            assert_eq!(config["expire_after"], 30);
            assert_eq!(config["device"]["identifiers"], json!(["emcon_site_room_3"]));
        }
    }
}
