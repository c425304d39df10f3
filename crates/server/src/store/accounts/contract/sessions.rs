//! Refresh tokens, sessions, passwords and revocations.

use super::*;
use crate::store::accounts::{
    REFRESH_TOKENS_KEPT, REVOCATIONS_KEPT_MS, Revocation, Revoked, SESSIONS_PER_USER_MAX,
    SessionRow,
};

pub(super) async fn rotation_grace_and_reuse<S: AccountStore>(store: &S) {
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

pub(super) async fn siblings_end_together<S: AccountStore>(store: &S) {
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

pub(super) async fn refresh_tokens_expire_and_are_bounded<S: AccountStore>(store: &S) {
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

pub(super) async fn sessions_end<S: AccountStore>(store: &S) {
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

pub(super) async fn sessions_are_bounded<S: AccountStore>(store: &S) {
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

pub(super) async fn passwords_change<S: AccountStore>(store: &S) {
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

pub(super) async fn revocations_are_polled<S: AccountStore>(store: &S) {
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

pub(super) async fn sessions_are_listed_and_ended_by_their_user<S: AccountStore>(store: &S) {
    ann(store).await;
    let bob = user(BOB, "Bob", Admission::Open, 50);
    store
        .create_user(bob, NOW)
        .await
        .expect("up")
        .expect("made");
    for (of, at) in [(2, NOW + 10), (3, NOW + 20)] {
        let mut more = session(of);
        more.device_name = (of == 2).then(|| "laptop".to_owned());
        more.expires_ms = at + LIFE;
        let made = store.create_session(ANN, "old".into(), more, at).await;
        assert_eq!(made, Ok(Some(Vec::new())), "{of}");
    }
    let list = |now_ms| async move {
        let rows = store.sessions(ANN, now_ms).await.expect("up");
        let row = |row: SessionRow| {
            let of = u64::from_be_bytes(row.id.0[..8].try_into().expect("eight"));
            (
                of,
                row.device_name,
                row.created_ms - NOW,
                row.last_used_ms - NOW,
            )
        };
        rows.into_iter().map(row).collect::<Vec<_>>()
    };
    let phone = || Some("phone".to_owned());
    let laptop = || Some("laptop".to_owned());
    let all = [(3, None, 20, 20), (2, laptop(), 10, 10), (1, phone(), 0, 0)];
    assert_eq!(list(NOW + 30).await, all);
    // A refresh is a use, and moves the end.
    assert!(is_rotated(&rotate(store, 1, 40, NOW + 60).await));
    let all = [
        (1, phone(), 0, 60),
        (3, None, 20, 20),
        (2, laptop(), 10, 10),
    ];
    assert_eq!(list(NOW + 70).await, all);
    assert_eq!(
        list(NOW + 20 + LIFE).await,
        all[..1],
        "what has run out is over"
    );
    // Another's answers like one that is not there; one's own ends once.
    for (who, of) in [(BOB, 2), (ANN, 50), (ANN, 77)] {
        let ended = store.end_session(who, session(of).id, NOW + 80).await;
        assert_eq!(ended, Ok(None), "{of}");
    }
    let theirs = rotate(store, 50, 51, NOW + 80).await;
    assert!(matches!(theirs, Rotation::Rotated { .. }), "{theirs:?}");
    let ended = store.end_session(ANN, session(2).id, NOW + 80).await;
    let what = ended.expect("up").map(|revocation| revocation.what);
    assert_eq!(what, Some(Revoked::Session(session(2).id)));
    let again = store.end_session(ANN, session(2).id, NOW + 81).await;
    assert_eq!(again, Ok(None));
    assert_eq!(rotate(store, 2, 41, NOW + 82).await, Rotation::Refused);
    let ended = store.end_sessions(ANN, Some(session(1).id), NOW + 90).await;
    let ended = ended.expect("up").into_iter().map(|one| one.what);
    assert!(ended.eq([Revoked::Session(session(3).id)]));
    assert_eq!(list(NOW + 91).await, [(1, phone(), 0, 60)]);
    assert_eq!(
        store.sessions(BOB, NOW + 91).await.map(|rows| rows.len()),
        Ok(1)
    );
}
