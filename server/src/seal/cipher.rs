//! The AEAD: XChaCha20-Poly1305, whose nonces are long enough to be random.

use base64::{Engine, engine::general_purpose::STANDARD};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use zeroize::Zeroizing;

/// The length of every key, in bytes.
pub(super) const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;

/// A key, ready for use. It is overwritten when it is dropped.
pub(super) struct Cipher(XChaCha20Poly1305);

impl Cipher {
    /// `None`: these are not [`KEY_BYTES`] bytes.
    pub fn new(key: &[u8]) -> Option<Self> {
        XChaCha20Poly1305::new_from_slice(key).ok().map(Self)
    }

    /// Base64 of a new nonce and the ciphertext, which opens for `bound_to` only.
    pub fn encrypt(&self, plain: &[u8], bound_to: &[u8]) -> Option<String> {
        let nonce: [u8; NONCE_BYTES] = rand::random();
        let payload = Payload {
            msg: plain,
            aad: bound_to,
        };
        let sealed = self.0.encrypt(&XNonce::from(nonce), payload).ok()?;
        Some(STANDARD.encode([&nonce[..], &sealed].concat()))
    }

    /// What was encrypted for `bound_to`.
    pub fn decrypt(&self, text: &str, bound_to: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let bytes = STANDARD.decode(text).ok()?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_BYTES>()?;
        let payload = Payload {
            msg: sealed,
            aad: bound_to,
        };
        let plain = self.0.decrypt(&XNonce::from(*nonce), payload).ok()?;
        Some(Zeroizing::new(plain))
    }
}
