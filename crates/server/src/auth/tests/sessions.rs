//! Sessions: how they are renewed and ended, here and on other nodes.

use super::*;
use crate::auth::revocation::Notice;
use crate::store::accounts::Revoked;

#[tokio::test]
async fn refreshing_rotates_and_an_old_token_ends_the_session() {
    let place = Place::new(Registration::Open).await;
    let made = place.register("Ann").await.expect("made");
    let mut notices = place.accounts.subscribe();
    let first = made.refresh.expose();
    // Two tabs at once: both are served, and both go on.
    let one = place.accounts.refresh(first).await.expect("rotated");
    let other = place
        .accounts
        .refresh(first)
        .await
        .expect("within the grace");
    assert_ne!(one.refresh, other.refresh);
    assert_eq!((one.session, &one.user), (made.session, &made.user));
    place.pass(REFRESH_GRACE_MS - 1);
    assert!(place.accounts.refresh(one.refresh.expose()).await.is_ok());
    assert!(place.accounts.refresh(other.refresh.expose()).await.is_ok());
    place.pass(1);
    assert_eq!(
        code(place.accounts.refresh(first).await),
        Some(ErrorCode::BadToken)
    );
    assert_eq!(
        notices.next().await,
        Some(Notice::Revoked(Revoked::Session(made.session)))
    );
    assert_eq!(place.identity(&one).await, Err(ErrorCode::BadToken));
    assert_eq!(
        code(place.accounts.refresh(one.refresh.expose()).await),
        Some(ErrorCode::BadToken)
    );
    assert_eq!(
        code(place.accounts.refresh("made up").await),
        Some(ErrorCode::BadToken)
    );
    let again = place.login("Ann", PASSWORD).await.expect("signed in");
    place.pass(place.accounts.settings.refresh_token_ms);
    assert_eq!(
        code(place.accounts.refresh(again.refresh.expose()).await),
        Some(ErrorCode::BadToken)
    );
}

#[tokio::test]
async fn signing_out_ends_this_session_only() {
    let place = Place::new(Registration::Open).await;
    let phone = place.register("Ann").await.expect("made");
    let desk = place.login("Ann", PASSWORD).await.expect("signed in");
    let mut notices = place.accounts.subscribe();
    place
        .accounts
        .logout_by_refresh(phone.refresh.expose())
        .await
        .expect("out");
    place
        .accounts
        .logout_by_refresh(phone.refresh.expose())
        .await
        .expect("twice is once");
    assert_eq!(
        notices.next().await,
        Some(Notice::Revoked(Revoked::Session(phone.session)))
    );
    assert_eq!(place.identity(&phone).await, Err(ErrorCode::BadToken));
    assert_eq!(
        code(place.accounts.refresh(phone.refresh.expose()).await),
        Some(ErrorCode::BadToken)
    );
    let identity = place.identity(&desk).await.expect("still in");
    place.accounts.logout(&identity).await.expect("out");
    assert_eq!(place.identity(&desk).await, Err(ErrorCode::BadToken));
    let revocations = place.accounts.revocations();
    assert!(revocations.is_revoked(Some(desk.session), desk.user.id, START));
}

#[tokio::test]
async fn a_new_password_ends_all_other_sessions() {
    let place = Place::new(Registration::Open).await;
    let phone = place.register("Ann").await.expect("made");
    let desk = place.login("Ann", PASSWORD).await.expect("signed in");
    let me = place.identity(&desk).await.expect("good");
    let change = |old, new| place.accounts.change_password(HERE, &me, old, new);
    assert_eq!(
        code(change("wrong horse", "battery staple").await),
        Some(ErrorCode::BadCredentials)
    );
    assert_eq!(
        code(change(PASSWORD, "short").await),
        Some(ErrorCode::WeakPassword)
    );
    assert!(
        place.identity(&phone).await.is_ok(),
        "nothing has happened yet"
    );
    change(PASSWORD, "battery staple").await.expect("changed");
    assert_eq!(place.identity(&phone).await, Err(ErrorCode::BadToken));
    assert!(place.identity(&desk).await.is_ok());
    assert_eq!(
        code(place.login("Ann", PASSWORD).await),
        Some(ErrorCode::BadCredentials)
    );
    assert!(place.login("Ann", "battery staple").await.is_ok());
}

#[tokio::test]
async fn another_node_shares_secret_and_revocations() {
    let place = Place::new(Registration::Open).await;
    let made = place.register("Ann").await.expect("made");
    let other = Place::node(Settings::default(), &place.store, &place.now_ms).await;
    let identity = other
        .authenticate(&made.access_token, START)
        .await
        .expect("one secret");
    let mut notices = other.subscribe();
    place
        .accounts
        .revoke_user(made.user.id)
        .await
        .expect("revoked");
    // A new connection is refused at once, since the store is asked.
    let refused = other.authenticate(&made.access_token, START).await;
    assert_eq!(refused, Err(ErrorCode::BadToken));
    // A live one hears of it with the next poll.
    let is_out = || {
        other
            .revocations
            .is_revoked(identity.session, identity.user.id, identity.issued_at_ms)
    };
    assert!(!is_out());
    let polling = other.poll_loop();
    tokio::pin!(polling);
    let told = tokio::select! {
        told = notices.next() => told,
        () = &mut polling => None,
    };
    assert_eq!(told, Some(Notice::Revoked(Revoked::Session(made.session))));
    assert!(is_out());
}

#[tokio::test]
async fn a_token_of_a_user_who_is_gone_or_of_another_store_is_bad() {
    let place = Place::new(Registration::Open).await;
    let elsewhere = Place::new(Registration::Open).await;
    let made = elsewhere.register("Ann").await.expect("made");
    assert_eq!(
        place.identity(&made).await,
        Err(ErrorCode::BadToken),
        "another secret"
    );
    // The same secret, but a store that has lost the account.
    let lost = Arc::new(MemoryAccounts::default());
    let secret = elsewhere
        .store
        .secret(SIGNING_SECRET, Vec::new())
        .await
        .expect("a secret");
    lost.secret(SIGNING_SECRET, secret).await.expect("stored");
    let node = Place::node(Settings::default(), &lost, &place.now_ms).await;
    assert_eq!(
        node.authenticate(&made.access_token, START).await,
        Err(ErrorCode::BadToken)
    );
    let after_end = START + 600_000 + LEEWAY_MS;
    let ended = elsewhere
        .accounts
        .authenticate(&made.access_token, after_end)
        .await;
    assert_eq!(ended, Err(ErrorCode::TokenExpired));
}
