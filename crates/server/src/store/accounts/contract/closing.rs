//! Accounts that are closed for good.

use chinwag_core::erasure::Texts;
use chinwag_core::ids::{JobId, UserId};

use super::{ANN, BOB, NOW, ann, hash, named, rotate, session, user};
use crate::store::accounts::{
    AccountStore, Admission, Closing, ForeignUser, NotClosed, NotMade, Revoked, Rotation,
};

fn closing(user: UserId, verified: Option<&str>) -> Closing {
    Closing {
        user,
        verified_hash: verified.map(str::to_owned),
        job: JobId(user.0),
        texts: Texts::Keep,
    }
}

pub(super) async fn accounts_are_closed<S: AccountStore>(store: &S) {
    ann(store).await;
    let kept = store.account(ANN).await.expect("an answer").expect("Ann");
    assert_eq!((kept.user.name.as_str(), kept.created_ms), ("Ann", NOW));
    assert_eq!((kept.issued, kept.user.id), (None, ANN));
    assert_eq!(store.account(BOB).await, Ok(None));
    for (who, verified, why) in [
        (ANN, Some("another"), NotClosed::PasswordChanged),
        (ANN, None, NotClosed::PasswordChanged),
        (BOB, None, NotClosed::Gone),
    ] {
        let closed = store.close_account(closing(who, verified), NOW).await;
        assert_eq!(closed, Ok(Err(why)), "{verified:?}");
    }
    let phone = session(1).id;
    let alive = store.identity(ANN, Some(phone)).await.expect("an answer");
    assert!(alive.is_some(), "a refusal has changed nothing");

    let closed = store
        .close_account(closing(ANN, Some("old")), NOW + 5)
        .await;
    let revoked = closed.expect("an answer").expect("closed");
    let what: Vec<_> = revoked.iter().map(|revocation| revocation.what).collect();
    let everything = Revoked::User {
        user: ANN,
        before_ms: NOW + 5,
    };
    assert_eq!(what, [Revoked::Session(phone), everything]);
    assert_eq!(store.revocations_after(0).await, Ok(revoked));
    assert_eq!(store.identity(ANN, Some(phone)).await, Ok(None));
    assert_eq!(store.sessions(ANN, NOW + 5).await, Ok(vec![]));
    assert_eq!(store.session_of(hash(1)).await, Ok(None));
    assert_eq!(rotate(store, 1, 2, NOW + 6).await, Rotation::Refused);
    assert_eq!(store.user_by_name("ann".to_owned()).await, Ok(None));
    assert_eq!(store.account(ANN).await, Ok(None));
    let row = store.identity(ANN, None).await.expect("an answer");
    let row = row.expect("the id stays");
    assert!(row.is_deleted() && row.password_hash.is_none(), "{row:?}");
    assert_eq!(row.profile_version, 2);
    let shown = store.profiles(vec![ANN]).await.expect("an answer");
    assert!(shown[0].is_deleted());
    let again = store.close_account(closing(ANN, None), NOW + 7).await;
    assert_eq!(again, Ok(Err(NotClosed::Gone)));
}

pub(super) async fn the_name_of_a_closed_account_stays_taken<S: AccountStore>(store: &S) {
    ann(store).await;
    let closed = store.close_account(closing(ANN, Some("old")), NOW).await;
    closed.expect("an answer").expect("closed");
    let again = user(BOB, " ＡＮＮ ", Admission::Open, 2);
    let again = store.create_user(again, NOW).await;
    assert_eq!(again, Ok(Err(NotMade::NameTaken)));
    // Nor one that looks like it.
    let alike = user(BOB, "\u{430}nn", Admission::Open, 2);
    let alike = store.create_user(alike, NOW).await;
    assert_eq!(alike, Ok(Err(NotMade::NameTaken)));
    assert_eq!(store.is_name_taken(named("Ann")).await, Ok(true));
    let foreign = ForeignUser {
        id: UserId::foreign("iss", "sub"),
        issuer: "iss".to_owned(),
        subject: "sub".to_owned(),
        names: vec![named("Ann"), named("Ann 2")],
    };
    let made = store
        .foreign_user(foreign.clone(), NOW)
        .await
        .expect("made");
    assert_eq!(made.name, "Ann 2");
    let kept = store.account(made.id).await.expect("an answer");
    let issued = kept.expect("made").issued;
    assert_eq!(issued, Some(("iss".to_owned(), "sub".to_owned())));
    // And those of other issuers, who have no password here. They do not come back.
    let closed = store.close_account(closing(made.id, None), NOW).await;
    closed.expect("an answer").expect("closed");
    let back = store.foreign_user(foreign, NOW).await.expect("an answer");
    assert!(back.is_deleted(), "{back:?}");
}

pub(super) async fn the_last_administrator_stays<S: AccountStore>(store: &S) {
    assert_eq!(store.offer_setup(hash(60)).await, Ok(true));
    let boss = user(ANN, "Ann", Admission::Setup(hash(60)), 1);
    let made = store.create_user(boss, NOW).await.expect("an answer");
    assert!(made.expect("made").administrator);
    let closed = store.close_account(closing(ANN, Some("old")), NOW).await;
    assert_eq!(closed, Ok(Err(NotClosed::LastAdministrator)));
}
