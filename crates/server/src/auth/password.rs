//! Passwords: argon2id as OWASP asks for it, a bounded number at a time.
//!
//! A hash takes 19 MiB for some tens of milliseconds, so a crowd that signs in at once would
//! take all memory. A few hashes run, a bounded line waits, and the rest is told to come back.
//! Unknown users cost the same work as known ones, so that neither time nor text tells.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

use super::clock::random;
use crate::store::accounts::UserRow;

/// Shortest password, in characters.
pub const PASSWORD_CHARS_MIN: usize = 8;
/// Longest password, in characters.
pub const PASSWORD_CHARS_MAX: usize = 256;
/// Hashes that run at once.
pub const HASHES_AT_ONCE: usize = 2;
/// Hashes that wait. Beyond: `busy`.
pub const HASHES_WAITING_MAX: usize = 64;
/// What `busy` asks to wait, in ms: about the time in which the line moves up by half.
pub const BUSY_RETRY_MS: u64 = 2_000;

/// OWASP's first recommendation: 19 MiB, two passes, one lane.
fn argon2() -> Argon2<'static> {
    let params = Params::new(19 * 1024, 2, 1, None).expect("these are in argon2's range");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// What is verified when there is nobody to verify.
static NOBODY: LazyLock<String> = LazyLock::new(|| hash_with(b"nobody", &[0; 16]));

fn hash_with(password: &[u8], salt: &[u8; 16]) -> String {
    let hash = argon2().hash_password_with_salt(password, salt);
    hash.expect("a salt of 16 bytes is good").to_string()
}

/// A password of allowed length. Never printed.
#[derive(Clone)]
pub struct Password(String);

impl Password {
    /// The password in `text`, or nothing if its length is not allowed.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let fits = (PASSWORD_CHARS_MIN..=PASSWORD_CHARS_MAX).contains(&text.chars().count());
        fits.then(|| Self(text.to_owned()))
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(…)")
    }
}

/// Somebody whose password was right a moment ago. Only [`Passwords::verify`] makes one.
#[derive(Debug)]
pub struct Authenticated {
    user: UserRow,
    verified_hash: String,
}

impl Authenticated {
    /// Who.
    #[must_use]
    pub fn user(&self) -> &UserRow {
        &self.user
    }

    /// The stored hash that the password fitted.
    #[must_use]
    pub fn verified_hash(&self) -> &str {
        &self.verified_hash
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Busy;

/// The hasher of a node.
#[derive(Debug)]
pub struct Passwords {
    running: Arc<Semaphore>,
    waiting: AtomicUsize,
    waiting_max: usize,
    computed: AtomicU64,
}

impl Default for Passwords {
    fn default() -> Self {
        Self::new(HASHES_AT_ONCE, HASHES_WAITING_MAX)
    }
}

/// A place in the line, given back when dropped, also by a caller that goes away.
struct Place<'a>(&'a AtomicUsize);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Passwords {
    /// A hasher with so many at once and so many in line.
    #[must_use]
    pub fn new(at_once: usize, waiting_max: usize) -> Self {
        let running = Arc::new(Semaphore::new(at_once));
        Self {
            running,
            waiting: AtomicUsize::new(0),
            waiting_max,
            computed: AtomicU64::new(0),
        }
    }

    /// How many hashes were computed since the start, for metrics and tests.
    #[must_use]
    pub fn computed(&self) -> u64 {
        self.computed.load(Ordering::Relaxed)
    }

    /// The PHC form of a new password.
    ///
    /// # Errors
    /// [`Busy`] if the line is full.
    pub async fn hash(&self, password: Password) -> Result<String, Busy> {
        let salt = random::<16>();
        self.run(move || hash_with(password.0.as_bytes(), &salt))
            .await
    }

    /// Whether `password` is that of `user`. Nobody, and users without a password, cost the same
    /// work and are refused (`None`).
    ///
    /// # Errors
    /// [`Busy`] if the line is full.
    pub async fn verify(
        &self,
        user: Option<UserRow>,
        password: &str,
    ) -> Result<Option<Authenticated>, Busy> {
        // Too long is wrong, but costs the same.
        let password: String = password.chars().take(PASSWORD_CHARS_MAX + 1).collect();
        let stored = user.as_ref().and_then(|user| user.password_hash.clone());
        let known = stored.is_some();
        let verified_hash = stored.clone().unwrap_or_default();
        let fits = self
            .run(move || {
                let against = stored.as_deref().unwrap_or(&NOBODY);
                let Ok(parsed) = PasswordHash::new(against) else {
                    tracing::error!(
                        "a stored password hash cannot be read: that user cannot sign in"
                    );
                    return false;
                };
                argon2()
                    .verify_password(password.as_bytes(), &parsed)
                    .is_ok()
            })
            .await?;
        let user = user.filter(|_| fits && known);
        Ok(user.map(|user| Authenticated {
            user,
            verified_hash,
        }))
    }

    /// Runs one hash on the blocking pool. A caller that goes away while its hash runs leaves
    /// the hash running, and the permit with it, so that the bound holds.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Busy> {
        let place = Place(&self.waiting);
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= self.waiting_max {
            return Err(Busy);
        }
        let permit = self.running.clone().acquire_owned().await;
        drop(place);
        let permit = permit.expect("this semaphore is never closed");
        self.computed.fetch_add(1, Ordering::Relaxed);
        let done = tokio::task::spawn_blocking(move || {
            let result = work();
            drop(permit);
            result
        });
        // It fails only if hashing panicked or the runtime ends: nobody is signed in then.
        done.await.map_err(|_| Busy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::accounts::UserKind;
    use chinwag_core::ids::UserId;

    fn user(password_hash: Option<String>) -> UserRow {
        UserRow {
            id: UserId([1; 16]),
            kind: UserKind::User,
            name: "Ann".to_owned(),
            profile_version: 1,
            display_name: None,
            avatar: None,
            password_hash,
            administrator: false,
        }
    }

    #[test]
    fn lengths_are_counted_in_characters() {
        for (text, fits) in [
            ("1234567".to_owned(), false),
            ("12345678".to_owned(), true),
            ("äöüßéèêë".to_owned(), true),
            ("        ".to_owned(), true),
            ("x".repeat(256), true),
            ("x".repeat(257), false),
        ] {
            assert_eq!(Password::new(&text).is_some(), fits, "{text}");
        }
    }

    #[tokio::test]
    async fn only_the_right_password_of_somebody_authenticates_and_all_cost_the_same() {
        let passwords = Passwords::default();
        let good = Password::new("correct horse").expect("long enough");
        let stored = passwords.hash(good).await.expect("not busy");
        assert!(
            stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{stored}"
        );
        for (who, text, right) in [
            (Some(user(Some(stored.clone()))), "correct horse", true),
            (Some(user(Some(stored.clone()))), "wrong horse", false),
            (Some(user(Some(stored.clone()))), "", false),
            (Some(user(None)), "correct horse", false),
            (Some(user(None)), "nobody", false),
            (None, "correct horse", false),
            (None, "nobody", false),
        ] {
            let before = passwords.computed();
            let verified = passwords.verify(who.clone(), text).await.expect("not busy");
            assert_eq!(verified.is_some(), right, "{who:?} {text}");
            assert_eq!(
                passwords.computed() - before,
                1,
                "{who:?}: one hash, whoever it is"
            );
        }
    }

    #[tokio::test]
    async fn a_full_line_is_busy_and_moves_on() {
        let passwords = Passwords::new(1, 1);
        let running = passwords
            .running
            .clone()
            .acquire_owned()
            .await
            .expect("open");
        let first = passwords.verify(None, "a");
        tokio::pin!(first);
        // Polled once: it stands in line.
        assert!(futures_util::poll!(&mut first).is_pending());
        assert!(matches!(passwords.verify(None, "b").await, Err(Busy)));
        drop(running);
        assert!(matches!(first.await, Ok(None)));
        assert!(matches!(passwords.verify(None, "c").await, Ok(None)));
    }
}
