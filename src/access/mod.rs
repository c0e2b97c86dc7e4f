//! Who may do what: roles, the form of tokens, and how fast anybody may guess. Pure: randomness and time enter.
//!
//! A token is 256 random bits, shown once and kept as its SHA-256. A slow hash protects what people choose and others
//! can guess; nobody guesses 256 bits, so a fast one tells a thief of the records nothing either.

mod throttle;

pub use throttle::{Throttle, Verdict};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;

/// Random bytes of a token.
pub const TOKEN_BYTES: usize = 32;

/// SHA-256 of a token's text.
pub type Digest = [u8; 32];

/// What every token begins with: people and scanners of source code know it by that.
const PREFIX: &str = "emcon_";

/// Longest text taken for a token, bytes: more than twice a real one.
const TEXT_MAX: usize = 128;

/// What somebody may do; each may do what those before may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Read.
    Viewer,
    /// Acknowledge alerts; begin, extend and end meetings.
    Organizer,
    /// Make and revoke tokens, and all else.
    Officer,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Organizer, Self::Officer];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Organizer => "organizer",
            Self::Officer => "officer",
        }
    }

    /// The role of this word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }
}

/// Which role a request takes; `None` if nobody needs to be known. Reading takes a viewer; a change that is not listed
/// takes an officer, so that a new one is not open by mistake.
pub fn needed(method: &str, path: &str) -> Option<Role> {
    let reads = matches!(method, "GET" | "HEAD");
    match path {
        "/" | "/setup" | "/healthz" if reads => return None,
        "/api/v1/session" | "/api/v1/setup" if method == "POST" => return None,
        "/api/v1/session" if method == "DELETE" => return Some(Role::Viewer),
        _ => {}
    }
    let Some(below) = path.strip_prefix("/api/v1/") else {
        return Some(if reads { Role::Viewer } else { Role::Officer });
    };
    let resource = below.split('/').next().unwrap_or_default();
    Some(match (resource, reads) {
        ("tokens" | "config" | "baseline", _) => Role::Officer,
        // Who takes part is not for every screen.
        ("meeting", _) | ("alerts" | "meetings" | "contacts", false) => Role::Organizer,
        (_, true) => Role::Viewer,
        _ => Role::Officer,
    })
}

/// The text of a token.
pub fn token(random: &[u8; TOKEN_BYTES]) -> String {
    format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(random))
}

/// The digest of what is shown as a token; `None` of what cannot be one.
pub fn digest(text: &str) -> Option<Digest> {
    (text.len() <= TEXT_MAX && text.starts_with(PREFIX)).then(|| Sha256::digest(text).into())
}

/// Whether two digests are the same, in a time that does not tell how far they are.
pub fn same(one: &Digest, other: &Digest) -> bool {
    one.ct_eq(other).into()
}

/// A set-up code of 80 bits, in letters and digits that nobody mistakes for each other (Crockford's base 32).
pub fn setup_code(random: &[u8; 16]) -> String {
    const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let letters: Vec<char> = random.iter().map(|byte| ALPHABET[usize::from(byte & 31)].into()).collect();
    letters.chunks(4).map(String::from_iter).collect::<Vec<_>>().join("-")
}

/// The digest of a set-up code as somebody typed it.
pub fn setup_digest(typed: &str) -> Digest {
    let typed = typed.chars().take(TEXT_MAX).filter(|c| c.is_ascii_alphanumeric());
    Sha256::digest(typed.map(|c| c.to_ascii_uppercase()).collect::<String>()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_which_role() {
        for (method, path, role) in [
            ("GET", "/", None),
            ("GET", "/setup", None),
            ("GET", "/healthz", None),
            ("POST", "/", Some(Role::Officer)),
            ("GET", "/readyz", Some(Role::Viewer)),
            ("GET", "/metrics", Some(Role::Viewer)),
            ("POST", "/api/v1/session", None),
            ("POST", "/api/v1/setup", None),
            ("DELETE", "/api/v1/session", Some(Role::Viewer)),
            ("GET", "/api/v1/state", Some(Role::Viewer)),
            ("GET", "/api/v1/events", Some(Role::Viewer)),
            ("POST", "/api/v1/alerts/a1/acknowledge", Some(Role::Organizer)),
            ("POST", "/api/v1/meetings", Some(Role::Organizer)),
            ("PUT", "/api/v1/meeting/participants", Some(Role::Organizer)),
            ("GET", "/api/v1/tokens", Some(Role::Officer)),
            ("POST", "/api/v1/tokens", Some(Role::Officer)),
            ("POST", "/api/v1/what-comes", Some(Role::Officer)),
            ("POST", "/API/v1/meetings", Some(Role::Officer)),
        ] {
            assert_eq!(needed(method, path), role, "{method} {path}");
        }
    }

    #[test]
    fn tokens_and_codes_are_known_by_their_digests() {
        let (one, other) = (token(&[7; 32]), token(&[8; 32]));
        assert_eq!(one.len(), 49);
        let (one, other) = (digest(&one).unwrap(), digest(&other).unwrap());
        assert!(same(&one, &one) && !same(&one, &other));
        assert_eq!(digest("secret"), None);
        assert_eq!(digest(&format!("emcon_{}", "x".repeat(200))), None);
        let code = setup_code(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 255, 32, 33, 34, 35]);
        assert_eq!(code, "0123-4567-89AZ-0123");
        assert_eq!(setup_digest("0123 4567 89az 0123"), setup_digest(&code));
        assert_ne!(setup_digest("0123"), setup_digest(&code));
    }
}
