//! A mail for each message, through a mail server.

use super::channel::causes;
use super::message::Message;
use super::queue::Failure;
use crate::config::{Mail, MailSecurity, secret};
use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

/// A step of the conversation must end within this time.
const STEP: Duration = Duration::from_secs(10);

/// A contact that is reached by mail.
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    to: Vec<Mailbox>,
    room: Arc<str>,
}

impl Mailer {
    /// See [`super::channel::Channel::new`].
    pub fn new(mail: &Mail, room: &Arc<str>) -> Result<Self, String> {
        let address = |text: &String| text.parse::<Mailbox>().map_err(|error| format!("{text}: {error}"));
        // One that is there already does as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let parameters = || TlsParameters::new(mail.server.clone()).map_err(|error| causes(&error));
        let tls = match mail.security {
            MailSecurity::StartTls => Tls::Required(parameters()?),
            MailSecurity::Tls => Tls::Wrapper(parameters()?),
            MailSecurity::Plain => Tls::None,
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(mail.server.as_str())
            .port(mail.port)
            .tls(tls)
            .timeout(Some(STEP));
        if let Some((user, file)) = &mail.login {
            builder = builder.credentials(Credentials::new(user.clone(), secret(file)?.reveal().to_owned()));
        }
        Ok(Self {
            transport: builder.build(),
            from: address(&mail.from)?,
            to: mail.to.iter().map(address).collect::<Result<_, _>>()?,
            room: room.clone(),
        })
    }

    fn mail(&self, batch: &[Message]) -> Result<lettre::Message, lettre::error::Error> {
        let first = &batch[0];
        let more = if batch.len() > 1 { format!(" and {} more", batch.len() - 1) } else { String::new() };
        // The same at every attempt, so that who gets it twice knows.
        let mut builder = lettre::Message::builder()
            .message_id(Some(format!("<{}@emcon.invalid>", first.id)))
            .subject(format!("[emcon {}] {}{more}", self.room, first.text))
            .header(ContentType::TEXT_PLAIN)
            .from(self.from.clone());
        for to in &self.to {
            builder = builder.to(to.clone());
        }
        builder.body(self.text(batch))
    }

    fn text(&self, batch: &[Message]) -> String {
        let mut text = String::new();
        for message in batch {
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "{} {} ({}, {})",
                message.at,
                message.text,
                message.kind,
                message.severity.as_str()
            );
            for reason in message.data["reasons"].as_array().into_iter().flatten().filter_map(|r| r.as_str())
            {
                let _ = writeln!(text, "    {reason}");
            }
        }
        let _ = writeln!(text, "\nroom: {}\nid: {}", self.room, batch[0].id);
        text
    }

    /// See [`super::channel::Channel::send`].
    pub async fn send(&self, batch: &[Message]) -> Result<(), Failure> {
        let mail = self.mail(batch).map_err(|error| Failure::Refused(causes(&error)))?;
        match self.transport.send(mail).await {
            Ok(_) => Ok(()),
            Err(error) => Err(Failure::Unreached(causes(&error), None)),
        }
    }
}
