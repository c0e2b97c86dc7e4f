//! A POST request for each message: signed as Standard Webhooks 1.0 asks, or a body of one's own for chat robots.

use super::address::{Resolver, is_allowed, refusal};
use super::channel::causes;
use super::message::Message;
use super::queue::Failure;
use super::signature::Signer;
use crate::clock;
use crate::config::secret;
use minijinja::Environment;
use minijinja::value::Serde;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode, Url, redirect};
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// A connection must stand within this time.
const CONNECT: Duration = Duration::from_secs(5);
/// Longest answer that is looked into, bytes: those of chat robots have a hundred.
const ANSWER_MAX: usize = 64 << 10;
/// Name of the one template.
const BODY: &str = "body";

/// A contact that is reached by POST.
pub struct Webhook {
    client: Client,
    url: Url,
    signer: Option<Signer>,
    templates: Option<Environment<'static>>,
    content_type: String,
    error_field: Option<String>,
    room: Arc<str>,
}

impl Webhook {
    /// See [`super::channel::Channel::new`].
    pub fn new(
        url: &str,
        secret_file: Option<&Path>,
        template: Option<&str>,
        content_type: &str,
        error_field: Option<String>,
        room: &Arc<str>,
    ) -> Result<Self, String> {
        let parsed = Url::parse(url).map_err(|error| format!("url: {error}"))?;
        let host = parsed.host_str().unwrap_or_default();
        let literal = host.trim_start_matches('[').trim_end_matches(']').parse();
        if literal.is_ok_and(|address| !is_allowed(address)) {
            return Err(format!("url: {}", refusal(host)));
        }
        let signer = secret_file.map(|file| {
            let secret = secret(file)?;
            Signer::new(secret.reveal()).map_err(|why| format!("{} {why}", file.display()))
        });
        // One that is there already does as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .user_agent(concat!("emcon/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT)
            // A webhook that moved is a fault (Standard Webhooks 1.0): following it would tell a stranger.
            .redirect(redirect::Policy::none())
            .no_proxy()
            .dns_resolver(Arc::new(Resolver))
            .build()
            .map_err(|error| format!("cannot connect to anything: {}", causes(&error)))?;
        let templates = template.map(|template| {
            let mut templates = Environment::new();
            templates.add_template_owned(BODY, template.to_owned()).map(|()| templates)
        });
        Ok(Self {
            client,
            url: parsed,
            signer: signer.transpose()?,
            templates: templates.transpose().map_err(|error| format!("template: {error}"))?,
            content_type: content_type.to_owned(),
            error_field,
            room: room.clone(),
        })
    }

    fn body(&self, batch: &[Message]) -> Result<String, Failure> {
        let document = batch[0].document(&self.room, &batch[1..]);
        let Some(templates) = &self.templates else { return Ok(document.to_string()) };
        let body = templates.get_template(BODY).and_then(|template| template.render(Serde(&document)));
        body.map_err(|error| Failure::Refused(format!("its template fails: {error}")))
    }

    /// See [`super::channel::Channel::send`].
    pub async fn send(&self, batch: &[Message]) -> Result<(), Failure> {
        let body = self.body(batch)?;
        let (id, time_s) = (&batch[0].id, clock::utc().as_second());
        let mut request = self
            .client
            .post(self.url.clone())
            .header(CONTENT_TYPE, &self.content_type)
            .header("webhook-id", id)
            .header("webhook-timestamp", time_s);
        if let Some(signer) = &self.signer {
            request = request.header("webhook-signature", signer.sign(id, time_s, body.as_bytes()));
        }
        // Addresses of chat robots hold their key: an error must not show it.
        let fault = |error: reqwest::Error| Failure::Unreached(causes(&error.without_url()), None);
        let answer = request.body(body).send().await.map_err(fault)?;
        let asked_s = answer.headers().get(RETRY_AFTER).and_then(|value| retry_after_s(value.to_str().ok()?));
        match verdict(answer.status(), asked_s) {
            Some(failure) => Err(failure),
            None => self.judged(answer).await,
        }
    }

    /// Chat robots say 200 to all, and what is wrong in the body.
    async fn judged(&self, mut answer: Response) -> Result<(), Failure> {
        let Some(field) = &self.error_field else { return Ok(()) };
        let mut body = Vec::new();
        while body.len() <= ANSWER_MAX {
            match answer.chunk().await {
                Ok(Some(bytes)) => body.extend_from_slice(&bytes),
                Ok(None) => return accepted(field, &body),
                Err(error) => return Err(Failure::Unreached(causes(&error.without_url()), None)),
            }
        }
        Err(Failure::Unreached(format!("its answer is longer than {ANSWER_MAX} bytes"), None))
    }
}

fn accepted(field: &str, body: &[u8]) -> Result<(), Failure> {
    let answer: Value = serde_json::from_slice(body).unwrap_or_default();
    match answer[field].as_i64() {
        Some(0) => Ok(()),
        Some(code) => {
            let text =
                ["errmsg", "msg"].iter().find_map(|key| answer[key].as_str()).unwrap_or("no reason given");
            let text: String = text.chars().take(200).collect();
            Err(Failure::Unreached(format!("it answers {field} {code}: {text}"), None))
        }
        None => Err(Failure::Unreached(format!("its answer has no {field}"), None)),
    }
}

/// What an answer's status means; `None` if the message arrived.
fn verdict(status: StatusCode, asked_s: Option<f64>) -> Option<Failure> {
    match status.as_u16() {
        200..=299 => None,
        410 => Some(Failure::Gone("it answers 410 Gone: it wants no more messages".into())),
        // Of this message, not of the moment.
        400 | 411 | 413 | 414 | 415 | 422 => Some(Failure::Refused(format!("it answers {status}"))),
        300..=399 => Some(Failure::Unreached(format!("it answers {status}: it moved; change its url"), None)),
        _ => Some(Failure::Unreached(format!("it answers {status}"), asked_s)),
    }
}

/// `Retry-After` (RFC 9110, 10.2.3), seconds from now.
fn retry_after_s(value: &str) -> Option<f64> {
    if let Ok(seconds) = value.trim().parse::<u32>() {
        return Some(f64::from(seconds));
    }
    let at = jiff::fmt::rfc2822::parse(value).ok()?.timestamp();
    Some(at.duration_since(clock::utc()).as_secs_f64().max(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn webhook(url: &str, template: Option<&str>) -> Result<Webhook, String> {
        Webhook::new(url, None, template, "application/json", None, &"Room \"3\"".into())
    }

    #[test]
    fn what_answers_mean() {
        let of = |status: u16| verdict(StatusCode::from_u16(status).unwrap(), Some(7.0));
        for status in [200, 202, 204] {
            assert_eq!(of(status), None);
        }
        assert!(matches!(of(410), Some(Failure::Gone(_))));
        assert!(matches!(of(422), Some(Failure::Refused(_))));
        for status in [429, 500, 503, 401, 404] {
            assert!(matches!(of(status), Some(Failure::Unreached(_, Some(7.0)))), "{status}");
        }
        assert!(matches!(of(302), Some(Failure::Unreached(_, None))));
    }

    #[test]
    fn what_chat_robots_answer() {
        assert_eq!(accepted("errcode", br#"{"errcode":0,"errmsg":"ok"}"#), Ok(()));
        let failure = accepted("errcode", br#"{"errcode":310000,"errmsg":"sign not match"}"#).unwrap_err();
        assert!(failure.why().contains("310000: sign not match"), "{failure:?}");
        assert!(accepted("errcode", b"<html>").is_err());
    }

    #[test]
    fn how_long_a_server_asks_to_wait() {
        assert_eq!(retry_after_s("120"), Some(120.0));
        assert_eq!(retry_after_s("Wed, 21 Oct 2015 07:28:00 GMT"), Some(0.0));
        assert_eq!(retry_after_s("soon"), None);
        assert_eq!(retry_after_s("-1"), None);
    }

    #[test]
    fn a_body_of_ones_own() {
        let template = r#"{"msgtype":"text","text":{"content":{{ (room ~ ": " ~ text)|tojson }}}}"#;
        let webhook = webhook("http://127.0.0.1:9/", Some(template)).unwrap();
        let body = webhook.body(&[Message::test(clock::utc())]).unwrap();
        let body: Value = serde_json::from_str(&body).unwrap();
        assert!(body["text"]["content"].as_str().unwrap().starts_with("Room \"3\": TEST"), "{body}");
    }

    #[test]
    fn metadata_addresses_are_refused() {
        for url in ["http://169.254.169.254/latest", "http://[fe80::1]/", "http://[::ffff:169.254.169.254]/"]
        {
            let error = webhook(url, None).err().unwrap_or_default();
            assert!(error.contains("metadata"), "{url}: {error:?}");
        }
    }
}
