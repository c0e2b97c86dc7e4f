//! The ways to a contact, as one.

use super::command::Program;
use super::mail::Mailer;
use super::message::Message;
use super::mqtt::Publisher;
use super::queue::Failure;
use super::syslog::Log;
use super::webhook::Webhook;
use crate::config::{Contact, ContactChannel};
use std::sync::Arc;

/// A way to a contact.
pub enum Channel {
    /// A POST request.
    Webhook(Box<Webhook>),
    /// A program.
    Command(Program),
    /// A log daemon.
    Syslog(Log),
    /// A mail server.
    Mail(Box<Mailer>),
    /// A broker.
    Mqtt(Box<Publisher>),
}

impl Channel {
    /// The way to `contact`. Connects to nothing yet.
    ///
    /// # Errors
    /// In words: a secret cannot be read, or an address is none.
    pub fn new(contact: &Contact, room: &Arc<str>) -> Result<Self, String> {
        let channel = match &contact.channel {
            ContactChannel::Webhook { url, secret_file, template, content_type, error_field } => {
                Webhook::new(
                    url,
                    secret_file.as_deref(),
                    template.as_deref(),
                    content_type,
                    error_field.clone(),
                    room,
                )
                .map(|webhook| Self::Webhook(Box::new(webhook)))
            }
            ContactChannel::Command(argv) => Ok(Self::Command(Program::new(argv, room))),
            ContactChannel::Syslog(address) => Ok(Self::Syslog(Log::new(address, room))),
            ContactChannel::Mail(mail) => Mailer::new(mail, room).map(|mailer| Self::Mail(Box::new(mailer))),
            ContactChannel::Mqtt(mqtt) => Publisher::new(mqtt, &contact.name, contact.heartbeat_s, room)
                .map(|publisher| Self::Mqtt(Box::new(publisher))),
        };
        channel.map_err(|why| format!("contact {}: {why}", contact.name))
    }

    /// Sends `batch`, which has one message at least: it is one message with more in it where the way allows that.
    pub async fn send(&mut self, batch: &[Message]) -> Result<(), Failure> {
        match self {
            Self::Webhook(webhook) => webhook.send(batch).await,
            Self::Command(program) => program.send(batch).await,
            Self::Syslog(log) => log.send(batch).await,
            Self::Mail(mailer) => mailer.send(batch).await,
            Self::Mqtt(publisher) => publisher.send(batch).await,
        }
    }

    /// What was being sent was given up: a stream that it broke off in is not gone on with.
    pub fn broken_off(&mut self) {
        match self {
            Self::Syslog(log) => log.disconnect(),
            Self::Mqtt(publisher) => publisher.disconnect(),
            Self::Webhook(_) | Self::Command(_) | Self::Mail(_) => {}
        }
    }
}

/// A cause with all that caused it, on one line.
pub fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}
