//! Tokens: made, used and revoked. The table of those that hold is read by whoever answers requests without asking the
//! room's thread; only that thread changes it, once a change is on record.

use super::{Answer, Hub, Input, Room, TEXT_MAX, view};
use crate::access::{Digest, Role, TOKEN_BYTES, digest, same, setup_code, setup_digest, token};
use crate::clock;
use crate::store::{NewEntry, Store, TokenRecord};
use jiff::{SignedDuration, Timestamp};
use std::sync::{Mutex, PoisonError, RwLock};
use tokio::sync::{oneshot, watch};

/// Tokens that hold at a time, and sessions: a few for each of some hundred people.
const TOKENS_MAX: usize = 256;
const SESSIONS_MAX: usize = 1024;
/// Longest life that a token can be given, days.
const DAYS_MAX: u32 = 3660;
/// A session ends after a day's work; a viewer's, on a wall, after a month.
const SESSION: SignedDuration = SignedDuration::from_hours(12);
const SESSION_OF_VIEWER: SignedDuration = SignedDuration::from_hours(24 * 30);
/// A set-up code holds for half an hour, seconds.
const SETUP_S: f64 = 1800.0;
/// The time of use is noted this often, seconds.
const NOTED_S: i64 = 60;

/// Why a token cannot be made or revoked.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// A role that is none.
    #[error("no role {0:?}: viewer, organizer or officer")]
    Role(String),
    /// Without a name nobody knows later who acknowledged.
    #[error("a token needs a name of 1 to {TEXT_MAX} characters: whose it is")]
    Name,
    /// A life that is none.
    #[error("a token lives for 1 to {DAYS_MAX} days, or until it is revoked")]
    Days,
    /// Too many.
    #[error("{0} tokens or sessions hold already: revoke some")]
    TooMany(usize),
    /// There is no such token.
    #[error("no token {0} holds; `emcon token list` names them")]
    NoToken(String),
    /// A set-up code that does not hold.
    #[error(
        "this set-up code does not hold, or not any more: `emcon token new` on the room's machine makes a token without one"
    )]
    NoSetup,
    /// The system gives no random numbers.
    #[error("the system gives no random numbers: {0}")]
    Random(String),
}

/// What a token is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asks {
    /// Whose it is.
    pub name: String,
    /// A role's word.
    pub role: String,
    /// Days that it lives; without, until it is revoked.
    pub days: Option<u32>,
    /// Who asks for it.
    pub by: String,
}

/// What is asked of the room's thread; each is answered but what is only noted.
pub(super) enum Ask {
    New(Asks, oneshot::Sender<Answer<(TokenRecord, String)>>),
    Session(String, oneshot::Sender<Answer<(TokenRecord, String)>>),
    Revoke { id: String, by: String, reply: oneshot::Sender<Answer<TokenRecord>> },
    Used(String),
    Refused(String),
}

/// Somebody who is known by a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Id of the token, or of the session.
    pub id: String,
    /// Whose it is.
    pub name: String,
    /// What they may do.
    pub role: Role,
}

/// Tokens that hold, and the set-up code while there is one.
#[derive(Debug)]
pub struct Keys {
    kept: RwLock<Vec<(TokenRecord, Digest)>>,
    setup: Mutex<Option<(Digest, f64)>>,
    changed: watch::Sender<u64>,
}

impl Default for Keys {
    fn default() -> Self {
        Self { kept: RwLock::default(), setup: Mutex::default(), changed: watch::Sender::new(0) }
    }
}

impl Keys {
    /// Whose `secret` is, and whether it holds at `now`; `None` of what never was a token.
    pub fn find(&self, secret: &str, now: Timestamp) -> Option<(Caller, bool)> {
        let shown = digest(secret)?;
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        // All are compared, so that the time tells nothing of where the right one is.
        let found = kept.iter().filter(|(_, hash)| same(hash, &shown)).fold(None, |_, found| Some(found));
        let (record, _) = found?;
        let role = Role::named(&record.role)?;
        Some((Caller { id: record.id.clone(), name: record.name.clone(), role }, holds(record, now)))
    }

    /// Whether the token `id` holds at `now`.
    pub fn holds(&self, id: &str, now: Timestamp) -> bool {
        self.kept
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .any(|(record, _)| record.id == id && holds(record, now))
    }

    /// Whether somebody may make tokens.
    pub fn has_officer(&self, now: Timestamp) -> bool {
        let officer = |record: &TokenRecord| record.role == Role::Officer.as_str() && record.parent.is_none();
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        kept.iter().any(|(record, _)| officer(record) && holds(record, now))
    }

    /// Tokens in the order they were made, revoked ones too; no sessions.
    pub fn list(&self) -> Vec<TokenRecord> {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        kept.iter().filter(|(record, _)| record.parent.is_none()).map(|(record, _)| record.clone()).collect()
    }

    /// Changes each time that a token is made or revoked.
    pub fn changed(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// A set-up code, in place of any before; to be shown to whoever stands before the machine.
    ///
    /// # Errors
    /// [`AccessError::Random`].
    pub fn open_setup(&self) -> Result<String, AccessError> {
        let code = setup_code(&random()?);
        let until_s = clock::monotonic_s() + SETUP_S;
        *self.setup.lock().unwrap_or_else(PoisonError::into_inner) = Some((setup_digest(&code), until_s));
        Ok(code)
    }

    /// Whether `typed` is the set-up code and that holds: until there is an officer.
    pub fn is_setup(&self, typed: &str) -> bool {
        let setup = *self.setup.lock().unwrap_or_else(PoisonError::into_inner);
        setup.is_some_and(|setup| self.opens(&setup, typed))
    }

    /// Uses the set-up code up: once, whoever asks at the same time.
    fn use_setup(&self, typed: &str) -> bool {
        let mut setup = self.setup.lock().unwrap_or_else(PoisonError::into_inner);
        setup.take_if(|setup| self.opens(setup, typed)).is_some()
    }

    fn opens(&self, (code, until_s): &(Digest, f64), typed: &str) -> bool {
        let holds = clock::monotonic_s() < *until_s && !self.has_officer(clock::utc());
        same(code, &setup_digest(typed)) && holds
    }

    /// Reads all from `store`.
    pub(super) fn read(&self, store: &Store) -> Answer<()> {
        *self.kept.write().unwrap_or_else(PoisonError::into_inner) = store.tokens()?;
        self.changed.send_modify(|times| *times += 1);
        Ok(())
    }

    /// Notes a use; whether it is to be recorded.
    fn note(&self, id: &str, now: Timestamp) -> bool {
        let due = |record: &TokenRecord| {
            record.last_used.is_none_or(|last| now.duration_since(last).as_secs() >= NOTED_S)
        };
        let is_due = |kept: &[(TokenRecord, Digest)]| kept.iter().any(|(r, _)| r.id == id && due(r));
        if !is_due(&self.kept.read().unwrap_or_else(PoisonError::into_inner)) {
            return false;
        }
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        let found = kept.iter_mut().find(|(record, _)| record.id == id && due(record));
        found.is_some_and(|(record, _)| record.last_used.replace(now) != Some(now))
    }
}

fn holds(record: &TokenRecord, now: Timestamp) -> bool {
    record.revoked.is_none() && record.expires.is_none_or(|expires| now < expires)
}

fn random<const N: usize>() -> Result<[u8; N], AccessError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| AccessError::Random(error.to_string()))?;
    Ok(bytes)
}

/// Makes a token in `store`: its record, what to show, and the number of the entry in the journal with its data.
///
/// # Errors
/// What is asked for is not possible, or cannot be recorded.
pub fn issue(store: &mut Store, asks: &Asks) -> Answer<(TokenRecord, String, i64, String)> {
    let now = clock::utc();
    let Asks { name, role, days, by } = asks;
    let role = Role::named(role).ok_or_else(|| AccessError::Role(role.clone()))?;
    if name.trim().is_empty() || name.chars().count() > TEXT_MAX {
        return Err(AccessError::Name.into());
    }
    if days.is_some_and(|days| !(1..=DAYS_MAX).contains(&days)) {
        return Err(AccessError::Days.into());
    }
    let life = days.map(|days| SignedDuration::from_hours(24 * i64::from(days)));
    add(
        store,
        TokenRecord {
            id: String::new(),
            name: name.trim().to_owned(),
            role: role.as_str().to_owned(),
            parent: None,
            created: now,
            expires: life.and_then(|life| now.checked_add(life).ok()),
            last_used: None,
            revoked: None,
        },
        by,
    )
}

fn open_session(store: &mut Store, parent: &str) -> Answer<(TokenRecord, String, i64, String)> {
    let now = clock::utc();
    let all = store.tokens()?;
    let missing = || AccessError::NoToken(parent.to_owned());
    let of =
        all.into_iter().map(|(record, _)| record).find(|record| record.id == parent && holds(record, now));
    let of = of.ok_or_else(missing)?;
    let life = if of.role == Role::Viewer.as_str() { SESSION_OF_VIEWER } else { SESSION };
    let expires = now.checked_add(life).ok().map(|end| of.expires.map_or(end, |expires| end.min(expires)));
    let by = of.name.clone();
    add(
        store,
        TokenRecord {
            parent: Some(of.id),
            created: now,
            expires,
            last_used: None,
            ..of_role(of.name, of.role)
        },
        &by,
    )
}

fn of_role(name: String, role: String) -> TokenRecord {
    let never = Timestamp::UNIX_EPOCH;
    TokenRecord {
        id: String::new(),
        name,
        role,
        parent: None,
        created: never,
        expires: None,
        last_used: None,
        revoked: None,
    }
}

fn add(store: &mut Store, record: TokenRecord, by: &str) -> Answer<(TokenRecord, String, i64, String)> {
    let session = record.parent.is_some();
    let all = store.tokens()?;
    let alike =
        all.iter().filter(|(other, _)| other.parent.is_some() == session && holds(other, record.created));
    let (count, most) = (alike.count(), if session { SESSIONS_MAX } else { TOKENS_MAX });
    if count >= most {
        return Err(AccessError::TooMany(count).into());
    }
    let id: [u8; 5] = random()?;
    let id: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
    let record = TokenRecord { id: format!("{}{id}", if session { 's' } else { 't' }), ..record };
    let secret = token(&random::<TOKEN_BYTES>()?);
    let hash = digest(&secret).ok_or_else(|| AccessError::Random("a token has no digest".into()))?;
    let what = if session { "session opened" } else { "token made" };
    let data = entry(what, &record, by);
    let made = NewEntry { kind: "access", at: record.created, meeting: None, data: &data };
    let number = store.add_token(&record, &hash, &made)?;
    Ok((record, secret, number, data))
}

/// Revokes token `id` in `store`, with its sessions: as [`issue`].
///
/// # Errors
/// No token of this id holds, or it cannot be recorded.
pub fn withdraw(store: &mut Store, id: &str, by: &str) -> Answer<(TokenRecord, i64, String)> {
    let now = clock::utc();
    let missing = || AccessError::NoToken(id.to_owned());
    let all = store.tokens()?;
    let mut record = all
        .into_iter()
        .map(|(record, _)| record)
        .find(|record| record.id == id && record.revoked.is_none())
        .ok_or_else(missing)?;
    record.revoked = Some(now);
    let data = entry("revoked", &record, by);
    let number =
        store.revoke_token(id, now, &NewEntry { kind: "access", at: now, meeting: None, data: &data })?;
    Ok((record, number, data))
}

fn entry(what: &str, record: &TokenRecord, by: &str) -> String {
    let TokenRecord { id, name, role, .. } = record;
    view::json(&serde_json::json!({ "what": what, "id": id, "name": name, "role": role, "by": by }))
}

impl Room {
    pub(super) fn access(&mut self, ask: Ask) {
        // Who asked and went away needs no answer.
        match ask {
            Ask::New(asks, reply) => {
                let made = issue(&mut self.store, &asks);
                let _ = reply.send(self.made(made));
            }
            Ask::Session(parent, reply) => {
                let made = open_session(&mut self.store, &parent);
                let _ = reply.send(self.made(made));
            }
            Ask::Revoke { id, by, reply } => {
                let answer = withdraw(&mut self.store, &id, &by).and_then(|(record, number, data)| {
                    self.keys.read(&self.store)?;
                    self.entered(number, data);
                    Ok(record)
                });
                let _ = reply.send(answer);
            }
            Ask::Used(id) => {
                // The next use is noted again.
                let _ = self.store.used_token(&id, clock::utc());
            }
            Ask::Refused(data) => self.record("access", data, None, None),
        }
    }

    fn made(&mut self, made: Answer<(TokenRecord, String, i64, String)>) -> Answer<(TokenRecord, String)> {
        let (record, secret, number, data) = made?;
        self.keys.read(&self.store)?;
        self.entered(number, data);
        Ok((record, secret))
    }

    fn entered(&mut self, number: i64, data: String) {
        self.figures.number.store(number, std::sync::atomic::Ordering::Relaxed);
        self.tell(Some(number), "access", data);
    }
}

impl Hub {
    /// Who may ask.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Makes a token: its record, and what to show once.
    ///
    /// # Errors
    /// What is asked for is not possible, or cannot be recorded.
    pub async fn new_token(&self, asks: Asks) -> Answer<(TokenRecord, String)> {
        self.ask(|reply| super::Ask::Access(Ask::New(asks, reply))).await
    }

    /// Makes the first officer's token for who typed the set-up code, which holds once.
    ///
    /// # Errors
    /// The code does not hold, or as [`Hub::new_token`]: then a new code is needed.
    pub async fn set_up(&self, code: &str, name: String) -> Answer<(TokenRecord, String)> {
        if name.trim().is_empty() || name.chars().count() > TEXT_MAX {
            return Err(AccessError::Name.into());
        }
        if !self.keys.use_setup(code) {
            return Err(AccessError::NoSetup.into());
        }
        let role = Role::Officer.as_str().to_owned();
        self.new_token(Asks { name, role, days: None, by: "set-up code".into() }).await
    }

    /// Opens a session of token `id`: its record, and what the cookie is to hold.
    ///
    /// # Errors
    /// The token does not hold, or there are too many.
    pub async fn open_session(&self, id: String) -> Answer<(TokenRecord, String)> {
        self.ask(|reply| super::Ask::Access(Ask::Session(id, reply))).await
    }

    /// Revokes a token with its sessions, or a session.
    ///
    /// # Errors
    /// No token of this id holds, or it cannot be recorded.
    pub async fn revoke(&self, id: String, by: String) -> Answer<TokenRecord> {
        self.ask(|reply| super::Ask::Access(Ask::Revoke { id, by, reply })).await
    }

    /// Notes that a token was used.
    pub fn used(&self, id: &str) {
        if self.keys.note(id, clock::utc()) {
            // Not noted where the room has more to do.
            let _ = self.input.try_send(Input::Ask(super::Ask::Access(Ask::Used(id.to_owned()))));
        }
    }

    /// Records that `address` guesses.
    pub fn refused(&self, address: std::net::IpAddr) {
        let data = serde_json::json!({ "what": "guesses refused", "address": address.to_string() });
        // The log has it too.
        tracing::warn!("wrong tokens from {address}: it must wait");
        let _ = self.input.try_send(Input::Ask(super::Ask::Access(Ask::Refused(data.to_string()))));
    }
}
