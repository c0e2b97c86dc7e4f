//! The bytes of a calendar, from a file or over HTTP.

use crate::calendar::SIZE_MAX;
use crate::calendar::source::{Place, Source};
use crate::config::secret;
use reqwest::header::{ETAG, HeaderValue, IF_NONE_MATCH};
use reqwest::redirect::{Attempt, Policy};
use reqwest::{Client, StatusCode};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// From asking to the last byte.
const PATIENCE: Duration = Duration::from_secs(10);
/// Redirections that are followed: calendars of large services have two.
const REDIRECTS_MAX: usize = 5;

/// Why there are no bytes.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The file.
    #[error("{} cannot be read: {source}", path.display())]
    File {
        /// The calendar.
        path: PathBuf,
        /// Cause.
        source: io::Error,
    },
    /// The secret cannot be read.
    #[error("{0}")]
    Secret(String),
    /// The secret is none.
    #[error("{}: must be one line, user:password or bearer TOKEN", path.display())]
    NoSecret {
        /// The file.
        path: PathBuf,
    },
    /// No answer in time.
    #[error("{host} did not answer within {} s", PATIENCE.as_secs())]
    TimedOut {
        /// Who.
        host: String,
    },
    /// Not allowed.
    #[error("{host} says {status}: the secret is missing or wrong (secret_file)")]
    Unauthorized {
        /// Who.
        host: String,
        /// 401 or 403.
        status: u16,
    },
    /// Not there.
    #[error("{host} says {status}: check the address")]
    Gone {
        /// Who.
        host: String,
        /// 404 or 410.
        status: u16,
    },
    /// Any other answer but a calendar.
    #[error("{host} says {status}")]
    Status {
        /// Who.
        host: String,
        /// As HTTP has it.
        status: u16,
    },
    /// More than is read.
    #[error("it is larger than {} MiB: publish fewer months of the calendar", SIZE_MAX >> 20)]
    TooLarge,
    /// Nothing came of it.
    #[error("{host} cannot be reached: {why}")]
    Unreachable {
        /// Who.
        host: String,
        /// What the system or TLS says.
        why: String,
    },
}

/// What came.
pub enum Fetched {
    /// What was there before.
    Same,
    /// Something that may be new.
    New {
        /// As it came.
        text: Vec<u8>,
        /// By which to ask whether it is the same.
        etag: Option<String>,
    },
}

/// Fetches one calendar, again and again.
pub struct Fetcher {
    place: Place,
    secret_file: Option<PathBuf>,
    client: Option<Client>,
    /// Of the file as read last: time of change and length.
    seen: Option<(SystemTime, u64)>,
}

impl Fetcher {
    /// Of `source`.
    pub fn new(source: &Source) -> Self {
        Self {
            place: source.place.clone(),
            secret_file: source.secret_file.clone(),
            client: None,
            seen: None,
        }
    }

    /// Reads a file anew even if it is the same.
    pub fn forget(&mut self) {
        self.seen = None;
    }

    /// The calendar, if it is not the one with `etag`, or the file as read before.
    ///
    /// # Errors
    /// It cannot be had.
    pub async fn fetch(&mut self, etag: Option<&str>) -> Result<Fetched, FetchError> {
        match self.place.clone() {
            Place::File(path) => self.file(path).await,
            Place::Url(url) => self.url(&url, etag).await,
        }
    }

    async fn file(&mut self, path: PathBuf) -> Result<Fetched, FetchError> {
        let seen = self.seen;
        let host = path.display().to_string();
        // A file of a network may hang; so may not whoever waits for it.
        let read = tokio::task::spawn_blocking(move || file(&path, seen));
        let (fetched, seen) = tokio::time::timeout(PATIENCE, read)
            .await
            .map_err(|_| FetchError::TimedOut { host: host.clone() })?
            .map_err(|error| FetchError::Unreachable { host, why: error.to_string() })??;
        self.seen = seen;
        Ok(fetched)
    }

    async fn url(&mut self, url: &str, etag: Option<&str>) -> Result<Fetched, FetchError> {
        let host = self.place.words();
        let fetched = tokio::time::timeout(PATIENCE, self.ask(url, etag, &host)).await;
        fetched.map_err(|_| FetchError::TimedOut { host })?
    }

    async fn ask(&mut self, url: &str, etag: Option<&str>, host: &str) -> Result<Fetched, FetchError> {
        let unreachable = |error: reqwest::Error| FetchError::Unreachable {
            host: host.to_owned(),
            // The address may hold a secret.
            why: causes(&error.without_url()),
        };
        let client = match &self.client {
            Some(client) => client.clone(),
            None => self.client.insert(client().map_err(unreachable)?).clone(),
        };
        let mut request = client.get(url);
        if let Some(etag) = etag.and_then(|etag| HeaderValue::from_str(etag).ok()) {
            request = request.header(IF_NONE_MATCH, etag);
        }
        request = match self.secret_file.as_deref().map(credentials).transpose()? {
            Some(Credentials::Basic(user, password)) => request.basic_auth(user, Some(password)),
            Some(Credentials::Bearer(token)) => request.bearer_auth(token),
            None => request,
        };
        let mut response = request.send().await.map_err(unreachable)?;
        let (status, host) = (response.status().as_u16(), host.to_owned());
        match response.status() {
            StatusCode::NOT_MODIFIED if etag.is_some() => return Ok(Fetched::Same),
            StatusCode::OK => {}
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                return Err(FetchError::Unauthorized { host, status });
            }
            StatusCode::NOT_FOUND | StatusCode::GONE => return Err(FetchError::Gone { host, status }),
            _ => return Err(FetchError::Status { host, status }),
        }
        let etag = response.headers().get(ETAG).and_then(|etag| etag.to_str().ok()).map(str::to_owned);
        let mut text = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            if text.len() + chunk.len() > SIZE_MAX {
                return Err(FetchError::TooLarge);
            }
            text.extend_from_slice(&chunk);
        }
        Ok(Fetched::New { text, etag })
    }
}

fn client() -> Result<Client, reqwest::Error> {
    // One provider for the process; whoever came first installed the same.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .user_agent(concat!("emcon/", env!("CARGO_PKG_VERSION")))
        // What the environment says of proxies is not what the configuration says.
        .no_proxy()
        .redirect(Policy::custom(redirected))
        .build()
}

/// Followed a few times, and never out of TLS.
fn redirected(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    let was_secure = attempt.previous().last().is_some_and(|url| url.scheme() == "https");
    if attempt.previous().len() > REDIRECTS_MAX {
        attempt.error("redirected too often")
    } else if was_secure && attempt.url().scheme() != "https" {
        attempt.error("redirected from https to an address without TLS")
    } else {
        attempt.follow()
    }
}

enum Credentials {
    Basic(String, String),
    Bearer(String),
}

/// Read anew each time: it may have been changed.
fn credentials(path: &Path) -> Result<Credentials, FetchError> {
    let secret = secret(path).map_err(FetchError::Secret)?;
    let text = secret.reveal();
    let bearer = text.split_once(' ').filter(|(word, _)| word.eq_ignore_ascii_case("bearer"));
    match (bearer, text.split_once(':')) {
        _ if text.contains(char::is_control) => Err(FetchError::NoSecret { path: path.to_path_buf() }),
        (Some((_, token)), _) => Ok(Credentials::Bearer(token.trim().to_owned())),
        (None, Some((user, password))) => Ok(Credentials::Basic(user.to_owned(), password.to_owned())),
        (None, None) => Err(FetchError::NoSecret { path: path.to_path_buf() }),
    }
}

type Seen = Option<(SystemTime, u64)>;

fn file(path: &Path, seen: Seen) -> Result<(Fetched, Seen), FetchError> {
    let failed = |source| FetchError::File { path: path.to_path_buf(), source };
    let about = fs::metadata(path).map_err(failed)?;
    if !about.is_file() {
        return Err(failed(io::Error::other("it is no file")));
    }
    let now = about.modified().ok().map(|changed| (changed, about.len()));
    if now.is_some() && now == seen {
        return Ok((Fetched::Same, seen));
    }
    let mut text = Vec::new();
    File::open(path)
        .and_then(|file| file.take(SIZE_MAX as u64 + 1).read_to_end(&mut text))
        .map_err(failed)?;
    if text.len() > SIZE_MAX {
        return Err(FetchError::TooLarge);
    }
    Ok((Fetched::New { text, etag: None }, now))
}

/// An error with what caused it.
fn causes(error: &dyn std::error::Error) -> String {
    let mut all = vec![error.to_string()];
    let mut next = error.source();
    while let Some(cause) = next {
        all.push(cause.to_string());
        next = cause.source();
    }
    all.dedup();
    all.join(": ")
}
