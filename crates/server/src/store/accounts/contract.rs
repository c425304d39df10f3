//! The one suite that every store of accounts passes.

mod closing;
mod sessions;

use std::sync::Arc;

use chinwag_core::ids::{SessionId, UserId};
use chinwag_core::name::{Name, name};

use super::{
    AccountStore, Admission, ForeignUser, NewSession, NewUser, NotMade, Rotation, TokenHash,
};

const NOW: i64 = 1_700_000_000_000;
const GRACE: i64 = 30_000;
const LIFE: i64 = 1_000_000_000;

const ANN: UserId = UserId([1; 16]);
const BOB: UserId = UserId([2; 16]);

/// Runs the suite, each part on a fresh store.
pub(crate) async fn run<S: AccountStore + 'static>(make: impl Fn() -> Arc<S>) {
    users_and_names(&*make()).await;
    invitations_are_used_once(&*make()).await;
    the_setup_link_makes_one_administrator(&*make()).await;
    foreign_users_are_made_once(&*make()).await;
    sessions::rotation_grace_and_reuse(&*make()).await;
    sessions::siblings_end_together(&*make()).await;
    sessions::refresh_tokens_expire_and_are_bounded(&*make()).await;
    sessions::sessions_end(&*make()).await;
    sessions::sessions_are_bounded(&*make()).await;
    sessions::sessions_are_listed_and_ended_by_their_user(&*make()).await;
    sessions::passwords_change(&*make()).await;
    sessions::revocations_are_polled(&*make()).await;
    closing::accounts_are_closed(&*make()).await;
    closing::the_name_of_a_closed_account_stays_taken(&*make()).await;
    closing::the_last_administrator_stays(&*make()).await;
}

fn named(text: &str) -> Name {
    name(text).expect("a good name")
}

fn hash(of: u64) -> TokenHash {
    let mut hash = [7; 32];
    hash[..8].copy_from_slice(&of.to_be_bytes());
    hash
}

fn session(of: u64) -> NewSession {
    let mut id = [9; 16];
    id[..8].copy_from_slice(&of.to_be_bytes());
    let device_name = Some("phone".to_owned());
    NewSession {
        id: SessionId(id),
        refresh: hash(of),
        device_name,
        expires_ms: NOW + LIFE,
    }
}

fn user(id: UserId, text: &str, admission: Admission, first: u64) -> NewUser {
    let session = session(first);
    NewUser {
        id,
        name: named(text),
        password_hash: "old".to_owned(),
        admission,
        session,
    }
}

async fn ann<S: AccountStore>(store: &S) {
    let made = store
        .create_user(user(ANN, "Ann", Admission::Open, 1), NOW)
        .await;
    assert!(made.expect("the store answers").is_ok());
}

async fn rotate<S: AccountStore>(store: &S, old: u64, next: u64, now_ms: i64) -> Rotation {
    let expires_ms = now_ms + LIFE;
    store
        .rotate(hash(old), hash(next), GRACE, expires_ms, now_ms)
        .await
        .expect("an answer")
}

fn is_rotated(rotation: &Rotation) -> bool {
    matches!(rotation, Rotation::Rotated { session: id, user } if *id == session(1).id && user.id == ANN)
}

async fn users_and_names<S: AccountStore>(store: &S) {
    let made = store
        .create_user(user(ANN, "Ann", Admission::Open, 1), NOW)
        .await;
    let made = made.expect("an answer").expect("made");
    assert_eq!(
        (made.id, made.name.as_str(), made.profile_version),
        (ANN, "Ann", 1)
    );
    assert!(!made.administrator);
    let taken = store
        .create_user(user(BOB, " ＡＮＮ ", Admission::Open, 2), NOW)
        .await;
    assert_eq!(taken.expect("an answer"), Err(NotMade::NameTaken));
    let alike = store
        .create_user(user(BOB, "\u{430}nn", Admission::Open, 2), NOW)
        .await;
    assert_eq!(alike.expect("an answer"), Err(NotMade::NameTaken));
    assert_eq!(
        store.identity(BOB, None).await,
        Ok(None),
        "nothing is left of a refusal"
    );
    assert_eq!(store.session_of(hash(2)).await, Ok(None));
    assert_eq!(
        store.user_by_name("ann".to_owned()).await,
        Ok(Some(made.clone()))
    );
    assert_eq!(store.user_by_name("bob".to_owned()).await, Ok(None));
    assert_eq!(
        store.profiles(vec![BOB, ANN]).await,
        Ok(vec![made.profile()])
    );
    let first = store.secret("key", vec![1]).await;
    assert_eq!(
        (first, store.secret("key", vec![2]).await),
        (Ok(vec![1]), Ok(vec![1]))
    );
}

async fn invitations_are_used_once<S: AccountStore>(store: &S) {
    store
        .create_invite(hash(50), ANN, NOW + 10, NOW)
        .await
        .expect("stored");
    assert_eq!(store.invite_is_good(hash(50), NOW + 9).await, Ok(true));
    assert_eq!(
        store.invite_is_good(hash(50), NOW + 10).await,
        Ok(false),
        "its end excludes"
    );
    ann(store).await;
    let invited = |text: &str, now_ms| {
        store.create_user(user(BOB, text, Admission::Invite(hash(50)), 2), now_ms)
    };
    assert_eq!(
        invited("Bob", NOW + 10).await,
        Ok(Err(NotMade::InviteInvalid))
    );
    // A refused name has not used it up.
    assert_eq!(invited("ann", NOW).await, Ok(Err(NotMade::NameTaken)));
    assert!(invited("Bob", NOW).await.expect("an answer").is_ok());
    assert_eq!(invited("Carl", NOW).await, Ok(Err(NotMade::InviteInvalid)));
    // Without a right to an account, one is not told which names are taken.
    assert_eq!(invited("Ann", NOW).await, Ok(Err(NotMade::InviteInvalid)));
}

async fn the_setup_link_makes_one_administrator<S: AccountStore>(store: &S) {
    let with = |id, text: &str, link| {
        store.create_user(user(id, text, Admission::Setup(hash(link)), link), NOW)
    };
    assert_eq!(with(ANN, "Ann", 60).await, Ok(Err(NotMade::SetupInvalid)));
    assert_eq!(store.offer_setup(hash(60)).await, Ok(true));
    assert_eq!(store.offer_setup(hash(61)).await, Ok(true));
    assert_eq!(
        store.setup_is_good(hash(60)).await,
        Ok(false),
        "a newer link takes its place"
    );
    assert_eq!(store.setup_is_good(hash(61)).await, Ok(true));
    assert_eq!(with(ANN, "Ann", 60).await, Ok(Err(NotMade::SetupInvalid)));
    let made = with(ANN, "Ann", 61)
        .await
        .expect("an answer")
        .expect("made");
    assert!(made.administrator);
    assert_eq!(with(BOB, "Bob", 61).await, Ok(Err(NotMade::SetupInvalid)));
    assert_eq!(
        store.offer_setup(hash(62)).await,
        Ok(false),
        "there is an administrator"
    );
}

async fn foreign_users_are_made_once<S: AccountStore>(store: &S) {
    ann(store).await;
    let foreign = |names: &[&str]| ForeignUser {
        id: UserId::foreign("iss", "sub"),
        issuer: "iss".to_owned(),
        subject: "sub".to_owned(),
        names: names.iter().copied().map(named).collect(),
    };
    let first = store
        .foreign_user(foreign(&["ANN", "\u{430}nn", "Ann 2", "Ann 3"]), NOW)
        .await
        .expect("made");
    assert_eq!(
        (first.name.as_str(), first.password_hash.as_deref()),
        ("Ann 2", None)
    );
    assert_ne!(first.id, ANN);
    let again = store.foreign_user(foreign(&["Other"]), NOW).await;
    assert_eq!(again, Ok(first), "the name of the first time stays");
    let mut unlucky = foreign(&["Ann", "Ann 2"]);
    unlucky.id = UserId::foreign("iss", "other");
    unlucky.subject = "other".to_owned();
    assert!(store.foreign_user(unlucky, NOW).await.is_err());
}
