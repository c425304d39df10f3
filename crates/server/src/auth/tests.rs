//! The rules of accounts, on the store in memory with a clock that the tests move.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicI64, Ordering};

use super::*;
use crate::store::memory::accounts::MemoryAccounts;

mod sessions;

const START: i64 = 1_700_000_000_000;
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const PASSWORD: &str = "correct horse";

struct Place {
    accounts: Accounts,
    store: Arc<MemoryAccounts>,
    now_ms: Arc<AtomicI64>,
}

impl Place {
    async fn new(registration: Registration) -> Self {
        Self::with(Settings {
            registration,
            ..Settings::default()
        })
        .await
    }

    async fn with(settings: Settings) -> Self {
        let store = Arc::new(MemoryAccounts::default());
        let now_ms = Arc::new(AtomicI64::new(START));
        let accounts = Self::node(settings, &store, &now_ms).await;
        Self {
            accounts,
            store,
            now_ms,
        }
    }

    /// A node on this store; one more beside the first, or the same after a restart.
    async fn node(
        settings: Settings,
        store: &Arc<MemoryAccounts>,
        now_ms: &Arc<AtomicI64>,
    ) -> Accounts {
        let told = Arc::clone(now_ms);
        let clock = Arc::new(move || told.load(Ordering::Relaxed));
        let store: Arc<dyn AccountStore> = store.clone();
        Accounts::start(settings, store, clock)
            .await
            .expect("accounts start")
    }

    fn pass(&self, ms: i64) {
        self.now_ms.fetch_add(ms, Ordering::Relaxed);
    }

    async fn register(&self, name: &str) -> Result<SignedIn, Refused> {
        self.accounts
            .register(HERE, name, PASSWORD, None, None)
            .await
    }

    async fn login(&self, name: &str, password: &str) -> Result<SignedIn, Refused> {
        self.accounts.login(HERE, name, password, None).await
    }

    async fn identity(&self, made: &SignedIn) -> Result<Identity, ErrorCode> {
        self.accounts
            .authenticate(&made.access_token, self.accounts.now_millis())
            .await
    }
}

fn code<T>(result: Result<T, Refused>) -> Option<ErrorCode> {
    result.err().map(|refused| refused.code)
}

#[tokio::test]
async fn registering_signs_in_and_the_token_proves_it() {
    let place = Place::new(Registration::Open).await;
    let made = place.register("Ann").await.expect("made");
    assert_eq!(made.expires_in_ms, 600_000);
    let identity = place.identity(&made).await.expect("good");
    assert_eq!(
        identity.user,
        Profile {
            id: made.user.id,
            name: "Ann".to_owned(),
            version: 1
        }
    );
    assert_eq!(
        (identity.session, identity.administrator),
        (Some(made.session), false)
    );
    assert_eq!(identity.expires_at_ms, START + 600_000);
    let again = place
        .login(" ＡＮＮ", PASSWORD)
        .await
        .expect("signed in by a name of the same key");
    assert_eq!(again.user, made.user);
    assert_ne!(again.session, made.session);
    let found = place.accounts.profile_by_name("ann").await;
    assert_eq!(found, Ok(Some(made.user.clone())));
    assert_eq!(
        place.accounts.profiles(vec![made.user.id]).await,
        Ok(vec![made.user])
    );
}

#[tokio::test]
async fn what_register_refuses() {
    let place = Place::new(Registration::Open).await;
    place.register("Ann").await.expect("made");
    let before = place.accounts.passwords.computed();
    for (name, password, expected, field) in [
        ("ann", PASSWORD, ErrorCode::NameTaken, "name"),
        ("\u{430}nn", PASSWORD, ErrorCode::NameTaken, "name"),
        (" ", PASSWORD, ErrorCode::Blank, "name"),
        ("a\0", PASSWORD, ErrorCode::BadField, "name"),
        (&"x".repeat(65), PASSWORD, ErrorCode::TooLong, "name"),
        ("Bob", "1234567", ErrorCode::WeakPassword, "password"),
        ("Bob", &"x".repeat(257), ErrorCode::WeakPassword, "password"),
    ] {
        let refused = place
            .accounts
            .register(HERE, name, password, None, None)
            .await;
        let refused = refused.expect_err(name);
        assert_eq!(
            (refused.code, refused.field),
            (expected, Some(field)),
            "{name}"
        );
    }
    assert_eq!(
        place.accounts.passwords.computed(),
        before,
        "no hash for a refusal"
    );
}

#[tokio::test]
async fn an_unknown_name_and_a_wrong_password_cost_and_say_the_same() {
    let place = Place::new(Registration::Open).await;
    place.register("Ann").await.expect("made");
    let mut refusals = Vec::new();
    for (name, password) in [
        ("Ann", "wrong password"),
        ("Nobody", "wrong password"),
        ("\0", "wrong password"),
        ("Ann", ""),
    ] {
        let before = place.accounts.passwords.computed();
        let refused = place.login(name, password).await.expect_err("wrong");
        assert_eq!(
            place.accounts.passwords.computed() - before,
            1,
            "{name}: one hash"
        );
        refusals.push(refused);
    }
    assert_eq!(refusals[0].code, ErrorCode::BadCredentials);
    assert!(
        refusals.iter().all(|refused| *refused == refusals[0]),
        "{refusals:?}"
    );
}

#[tokio::test]
async fn guessing_is_limited_by_account_and_by_address() {
    let settings = Settings {
        registration: Registration::Open,
        attempts_per_account: AttemptRate {
            burst: 2,
            refill_ms: 1_000,
        },
        attempts_per_address: AttemptRate {
            burst: 5,
            refill_ms: 1_000,
        },
        ..Settings::default()
    };
    let place = Place::with(settings).await;
    place.register("Ann").await.expect("made");
    for name in ["Ann", "Nobody"] {
        assert_eq!(
            code(place.login(name, "guess one").await),
            Some(ErrorCode::BadCredentials)
        );
        assert_eq!(
            code(place.login(name, "guess two").await),
            Some(ErrorCode::BadCredentials)
        );
        let before = place.accounts.passwords.computed();
        let refused = place.login(name, PASSWORD).await.expect_err("limited");
        assert_eq!(refused.code, ErrorCode::RateLimited, "known or not: {name}");
        assert_eq!(refused.retry_after_ms, Some(1_000));
        assert_eq!(
            place.accounts.passwords.computed(),
            before,
            "and costs nothing"
        );
        // The refused tries took from the address as well; give it a new second each.
        place.pass(1_000);
    }
    place.pass(60_000);
    for name in ["a", "b", "c", "d", "e"] {
        assert_eq!(
            code(place.login(name, "guess").await),
            Some(ErrorCode::BadCredentials)
        );
    }
    assert_eq!(
        code(place.login("Ann", PASSWORD).await),
        Some(ErrorCode::RateLimited)
    );
    let elsewhere = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
    assert!(
        place
            .accounts
            .login(elsewhere, "Ann", PASSWORD, None)
            .await
            .is_ok()
    );
    place.pass(1_000);
    for _ in 0..4 {
        assert!(
            place.login("Ann", PASSWORD).await.is_ok(),
            "right ones are not counted"
        );
    }
}

#[tokio::test]
async fn invitations_and_the_first_administrator() {
    let place = Place::new(Registration::Invite).await;
    assert_eq!(
        code(place.register("Ann").await),
        Some(ErrorCode::InviteNeeded)
    );
    let first = place
        .accounts
        .setup_token()
        .await
        .expect("an answer")
        .expect("offered");
    let link = place
        .accounts
        .setup_token()
        .await
        .expect("an answer")
        .expect("offered");
    let setup = |token, name| place.accounts.setup(HERE, token, name, PASSWORD, None);
    let replaced = setup(first.expose(), "Ann").await;
    assert_eq!(
        code(replaced),
        Some(ErrorCode::BadToken),
        "by the later one"
    );
    let admin = setup(link.expose(), "Ann").await.expect("made");
    assert_eq!(
        code(setup(link.expose(), "Eve").await),
        Some(ErrorCode::BadToken),
        "used"
    );
    assert_eq!(place.accounts.setup_token().await.expect("an answer"), None);
    let admin = place.identity(&admin).await.expect("good");
    assert!(admin.administrator);
    let invitation = place.accounts.invite(&admin).await.expect("invited");
    assert_eq!(invitation.expires_at_ms, START + INVITE_MS);
    let by = |token, name| {
        place
            .accounts
            .register(HERE, name, PASSWORD, Some(token), None)
    };
    assert_eq!(
        code(by("guess", "Bob").await),
        Some(ErrorCode::InviteNeeded)
    );
    let token = invitation.token.expose();
    let bob = by(token, "Bob").await.expect("made");
    assert_eq!(
        code(by(token, "Carl").await),
        Some(ErrorCode::InviteNeeded),
        "used"
    );
    let bob = place.identity(&bob).await.expect("good");
    assert_eq!(
        code(place.accounts.invite(&bob).await),
        Some(ErrorCode::Forbidden)
    );
    let late = place.accounts.invite(&admin).await.expect("invited");
    place.pass(INVITE_MS);
    assert_eq!(
        code(by(late.token.expose(), "Carl").await),
        Some(ErrorCode::InviteNeeded)
    );

    let closed = Place::new(Registration::Closed).await;
    let refused = closed
        .accounts
        .register(HERE, "Ann", PASSWORD, Some("any"), None)
        .await;
    assert_eq!(code(refused), Some(ErrorCode::RegistrationClosed));
}

#[test]
fn secrets_do_not_print() {
    let secret = Secret::draw();
    assert_eq!(secret.expose().len(), 43, "256 bits in base64url");
    assert!(!format!("{secret:?}").contains(secret.expose()));
    let password = password::Password::new(PASSWORD).expect("long enough");
    assert!(!format!("{password:?}").contains("horse"));
}
