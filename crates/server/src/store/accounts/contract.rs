//! The one suite that every store of accounts passes.

use std::sync::Arc;

use chinwag_core::ids::{SessionId, UserId};
use chinwag_core::name::{Name, name};

use super::{
    AccountStore, Admission, ForeignUser, NewSession, NewUser, NotMade, REFRESH_TOKENS_KEPT,
    REVOCATIONS_KEPT_MS, Revocation, Revoked, Rotation, SESSIONS_PER_USER_MAX, TokenHash,
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
    rotation_grace_and_reuse(&*make()).await;
    siblings_end_together(&*make()).await;
    refresh_tokens_expire_and_are_bounded(&*make()).await;
    sessions_end(&*make()).await;
    sessions_are_bounded(&*make()).await;
    passwords_change(&*make()).await;
    revocations_are_polled(&*make()).await;
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
        .foreign_user(foreign(&["ANN", "Ann 2", "Ann 3"]), NOW)
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

async fn rotation_grace_and_reuse<S: AccountStore>(store: &S) {
    ann(store).await;
    assert_eq!(
        rotate(store, 99, 98, NOW).await,
        Rotation::Refused,
        "unknown"
    );
    assert!(is_rotated(&rotate(store, 1, 2, NOW).await));
    // The answer was lost, or another tab was as quick.
    assert!(is_rotated(&rotate(store, 1, 3, NOW + GRACE - 1).await));
    assert!(is_rotated(&rotate(store, 2, 4, NOW + GRACE - 1).await));
    // Replaced at NOW: at the end of the grace it is theft.
    let reused = rotate(store, 1, 5, NOW + GRACE).await;
    let Rotation::Reused {
        session: id,
        revoked: Some(revocation),
    } = reused
    else {
        panic!("{reused:?}");
    };
    assert_eq!(
        (id, revocation.what),
        (session(1).id, Revoked::Session(session(1).id))
    );
    for token in [2, 3, 4, 5] {
        let rotation = rotate(store, token, 10 + token, NOW + GRACE).await;
        assert!(
            !is_rotated(&rotation),
            "{token}: the whole session has ended"
        );
    }
    let again = rotate(store, 1, 6, NOW + GRACE).await;
    assert_eq!(
        again,
        Rotation::Reused {
            session: session(1).id,
            revoked: None
        }
    );
    assert_eq!(store.identity(ANN, Some(session(1).id)).await, Ok(None));
}

async fn siblings_end_together<S: AccountStore>(store: &S) {
    ann(store).await;
    assert!(is_rotated(&rotate(store, 1, 2, NOW).await));
    assert!(is_rotated(&rotate(store, 1, 3, NOW).await));
    assert!(is_rotated(&rotate(store, 3, 4, NOW + 100).await));
    // 2 was given out beside 3, and 3 has been used: 2 has its grace and no more.
    assert!(is_rotated(&rotate(store, 2, 5, NOW + 99 + GRACE).await));
    let late = rotate(store, 2, 6, NOW + 100 + GRACE).await;
    assert!(
        matches!(
            late,
            Rotation::Reused {
                revoked: Some(_),
                ..
            }
        ),
        "{late:?}"
    );
}

async fn refresh_tokens_expire_and_are_bounded<S: AccountStore>(store: &S) {
    ann(store).await;
    assert!(
        is_rotated(&rotate(store, 1, 2, NOW + LIFE - 1).await),
        "and its life begins anew"
    );
    let ended = NOW + LIFE - 1 + LIFE;
    assert_eq!(rotate(store, 2, 3, ended).await, Rotation::Refused);
    for step in 0..REFRESH_TOKENS_KEPT + 5 {
        assert!(
            is_rotated(&rotate(store, 2 + step, 3 + step, ended - 1).await),
            "{step}"
        );
    }
    // So old that it is forgotten: refused, and the session lives.
    assert_eq!(
        rotate(store, 1, 999, ended + GRACE).await,
        Rotation::Refused
    );
    let newest = 2 + REFRESH_TOKENS_KEPT + 5;
    assert!(is_rotated(
        &rotate(store, newest, 1000, ended + GRACE).await
    ));
}

async fn sessions_end<S: AccountStore>(store: &S) {
    ann(store).await;
    let id = session(1).id;
    assert_eq!(store.session_of(hash(1)).await, Ok(Some(id)));
    assert!(
        store
            .identity(ANN, Some(id))
            .await
            .expect("an answer")
            .is_some()
    );
    assert_eq!(
        store.identity(BOB, Some(id)).await,
        Ok(None),
        "of somebody else"
    );
    let revoked = store
        .revoke_session(id, NOW)
        .await
        .expect("an answer")
        .expect("it lived");
    assert_eq!((revoked.what, revoked.at_ms), (Revoked::Session(id), NOW));
    assert_eq!(
        store.revoke_session(id, NOW).await,
        Ok(None),
        "twice is once"
    );
    assert_eq!(
        store.revoke_session(session(8).id, NOW).await,
        Ok(None),
        "unknown"
    );
    assert_eq!(store.session_of(hash(1)).await, Ok(None));
    assert_eq!(store.identity(ANN, Some(id)).await, Ok(None));
    assert!(
        store
            .identity(ANN, None)
            .await
            .expect("an answer")
            .is_some()
    );
    assert_eq!(rotate(store, 1, 2, NOW).await, Rotation::Refused);
}

async fn sessions_are_bounded<S: AccountStore>(store: &S) {
    ann(store).await;
    let sign_in =
        |of: u64, now_ms| store.create_session(ANN, "old".to_owned(), session(of), now_ms);
    for of in 2..=SESSIONS_PER_USER_MAX as u64 {
        assert_eq!(sign_in(of, NOW + of as i64).await, Ok(Some(vec![])), "{of}");
    }
    // The first is used, so the second is the one used longest ago.
    assert!(is_rotated(&rotate(store, 1, 5000, NOW + 1000).await));
    let revoked = sign_in(1001, NOW + 1001)
        .await
        .expect("an answer")
        .expect("made");
    let ended: Vec<Revoked> = revoked.iter().map(|one| one.what).collect();
    assert_eq!(ended, [Revoked::Session(session(2).id)]);
}

async fn passwords_change<S: AccountStore>(store: &S) {
    ann(store).await;
    let sign_in = |hash: &str, of| store.create_session(ANN, hash.to_owned(), session(of), NOW);
    assert_eq!(sign_in("old", 2).await, Ok(Some(vec![])));
    assert_eq!(
        sign_in("stale", 3).await,
        Ok(None),
        "the password has changed meanwhile"
    );
    let change = |old: &str, new: &str, keep| {
        store.change_password(ANN, old.to_owned(), new.to_owned(), keep, NOW)
    };
    assert_eq!(change("stale", "new", None).await, Ok(None));
    let revoked = change("old", "new", Some(session(2).id))
        .await
        .expect("an answer");
    let ended: Vec<Revoked> = revoked
        .expect("changed")
        .iter()
        .map(|one| one.what)
        .collect();
    assert_eq!(ended, [Revoked::Session(session(1).id)]);
    assert_eq!(sign_in("old", 4).await, Ok(None));
    assert_eq!(sign_in("new", 4).await, Ok(Some(vec![])));
    assert!(
        store
            .identity(ANN, Some(session(2).id))
            .await
            .expect("an answer")
            .is_some()
    );
    assert_eq!(rotate(store, 1, 9, NOW).await, Rotation::Refused);
}

async fn revocations_are_polled<S: AccountStore>(store: &S) {
    ann(store).await;
    assert_eq!(store.revocations_after(0).await, Ok(vec![]));
    let first = store
        .revoke_session(session(1).id, NOW)
        .await
        .expect("an answer")
        .expect("lived");
    let second: Vec<Revocation> = store.revoke_user(ANN, NOW + 5).await.expect("an answer");
    assert_eq!(second.len(), 1, "the session had ended before");
    assert_eq!(
        second[0].what,
        Revoked::User {
            user: ANN,
            before_ms: NOW + 5
        }
    );
    assert!(second[0].changed > first.changed);
    assert_eq!(store.revocations_after(0).await, Ok(vec![first, second[0]]));
    assert_eq!(
        store.revocations_after(first.changed).await,
        Ok(second.clone())
    );
    assert_eq!(store.revocations_after(second[0].changed).await, Ok(vec![]));
    // Old ones are swept away by a new one.
    let later = NOW + 6 + REVOCATIONS_KEPT_MS;
    let third = store.revoke_user(ANN, later).await.expect("an answer");
    assert_eq!(store.revocations_after(0).await, Ok(third));
}
