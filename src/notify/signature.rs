//! Signatures of Standard Webhooks 1.0: HMAC-SHA256 over id, time and body.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt;

/// What signs. Never shown.
#[derive(Clone)]
pub struct Signer(Hmac<Sha256>);

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signer")
    }
}

/// Lengths that a secret may have, bytes (Standard Webhooks 1.0, "Signature scheme").
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

impl Signer {
    /// With a secret as `whsec_` and base64.
    ///
    /// # Errors
    /// In words: it is none. The secret is not part of them.
    pub fn new(secret: &str) -> Result<Self, String> {
        let made = "make one with: echo whsec_$(head -c 32 /dev/urandom | base64)";
        let encoded = secret.strip_prefix("whsec_").ok_or(format!("does not begin with whsec_; {made}"))?;
        let key = STANDARD.decode(encoded).map_err(|_| format!("is not base64 after whsec_; {made}"))?;
        if !SECRET_BYTES.contains(&key.len()) {
            return Err(format!("has {} bytes, 24 to 64 are needed; {made}", key.len()));
        }
        Hmac::new_from_slice(&key).map(Self).map_err(|error| error.to_string())
    }

    /// The header `webhook-signature` of `body`, sent as message `id` at `time_s` (Unix).
    pub fn sign(&self, id: &str, time_s: i64, body: &[u8]) -> String {
        let mut mac = self.0.clone();
        mac.update(format!("{id}.{time_s}.").as_bytes());
        mac.update(body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vector of the specification's reference libraries (standard-webhooks, `libraries/*/tests`).
    #[test]
    fn signs_as_the_reference_libraries_do() {
        let signer = Signer::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        assert_eq!(
            signer.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }

    #[test]
    fn what_is_no_secret_is_refused_without_showing_it() {
        for (secret, why) in
            [("MfKQ9r8G", "whsec_"), ("whsec_*secret*", "base64"), ("whsec_MfKQ9r8GKYqrTwjU", "12 bytes")]
        {
            let error = Signer::new(secret).unwrap_err();
            assert!(error.contains(why) && !error.contains(secret), "{error}");
        }
    }
}
