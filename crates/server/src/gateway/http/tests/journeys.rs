//! Several requests in a row: sessions by cookie and by body, the first administrator.

use super::*;

#[tokio::test]
async fn refreshing_by_cookie_and_by_body_then_signing_out() {
    let site = Site::new(Registration::Open).await;
    let made = site.post("/api/register", ANN, &[]).await;
    let cookie = format!("theme=dark; {}; x=y", made.sent_back());
    let next = site
        .post("/api/refresh", "{}", &[("cookie", &cookie)])
        .await;
    assert_eq!(next.status, 200, "{}", next.text);
    assert!(next.body.get("refresh_token").is_none());
    assert_ne!(next.sent_back(), made.sent_back());
    assert_eq!(next.body["user"], made.body["user"]);
    let foreign = [
        ("cookie", cookie.as_str()),
        ("origin", "https://evil.example"),
    ];
    assert_eq!(site.post("/api/refresh", "{}", &foreign).await.status, 403);
    let nobody = site.post("/api/refresh", "{}", &[]).await;
    assert_eq!((nobody.status, nobody.text.as_str()), (204, ""));
    assert_eq!(nobody.cookie(), None);
    assert_eq!(nobody.headers["cache-control"], "no-store");

    let body = r#"{"name":"Ann","password":"correct horse","cookie":false}"#;
    let app = site.post("/api/login", body, &[]).await;
    let refresh = serde_json::json!({"refresh_token": app.body["refresh_token"]}).to_string();
    let refreshed = site.post("/api/refresh", refresh.clone(), &[]).await;
    assert_eq!((refreshed.status, refreshed.cookie()), (200, None));
    assert!(refreshed.body["refresh_token"].is_string());

    // The cookie's session ends and its cookie goes; the app's session goes on.
    let out = site
        .post("/api/logout", "{}", &[("cookie", &next.sent_back())])
        .await;
    assert_eq!(out.status, 200);
    assert!(
        out.cookie()
            .expect("a cookie")
            .contains("chinwag_refresh=; ")
            && out.text == "{}"
    );
    let gone = site
        .post("/api/refresh", "{}", &[("cookie", &next.sent_back())])
        .await;
    assert_eq!((gone.status, gone.code()), (401, "bad_token"));
    let bearer = format!(
        "Bearer {}",
        refreshed.body["access_token"].as_str().expect("a token")
    );
    let out = site
        .post("/api/logout", "{}", &[("authorization", &bearer)])
        .await;
    assert_eq!(out.status, 200);
    assert_eq!(site.post("/api/refresh", refresh, &[]).await.status, 401);
    let again = site
        .post("/api/logout", "{}", &[("authorization", &bearer)])
        .await;
    assert_eq!(again.status, 200, "signing out twice is once");
}

#[tokio::test]
async fn the_first_administrator_invites() {
    let site = Site::new(Registration::Invite).await;
    let server = Request::get("/api/server")
        .body(Body::empty())
        .expect("a request");
    let server = site.send(server).await;
    assert_eq!(server.body["registration"], "invite");
    assert_eq!(
        (&server.body["name"], &server.body["version"]),
        (&json!("Chinwag"), &json!("0.1.0"))
    );
    let token = site
        .accounts
        .setup_token()
        .await
        .expect("an answer")
        .expect("offered");
    let body = json!({"token": token.expose(), "name": "Ann", "password": "correct horse"});
    let admin = site.post("/api/setup", body.to_string(), &[]).await;
    assert_eq!(admin.status, 201, "{}", admin.text);
    let again = json!({"token": token.expose(), "name": "Eve", "password": "correct horse"});
    assert_eq!(
        site.post("/api/setup", again.to_string(), &[]).await.code(),
        "bad_token"
    );

    let bearer = |got: &Got| {
        format!(
            "bearer {}",
            got.body["access_token"].as_str().expect("a token")
        )
    };
    let invited = site
        .post("/api/invites", "{}", &[("authorization", &bearer(&admin))])
        .await;
    assert_eq!(invited.status, 201, "{}", invited.text);
    assert_eq!(invited.body["expires_at"], NOW + 7 * 86_400_000);
    let refused = site
        .post(
            "/api/register",
            r#"{"name":"Bob","password":"correct horse"}"#,
            &[],
        )
        .await;
    assert_eq!((refused.status, refused.code()), (403, "invite_needed"));
    let body =
        json!({"name": "Bob", "password": "correct horse", "invite": invited.body["invite"]});
    let bob = site.post("/api/register", body.to_string(), &[]).await;
    assert_eq!(bob.status, 201, "{}", bob.text);
    let refused = site
        .post("/api/invites", "{}", &[("authorization", &bearer(&bob))])
        .await;
    assert_eq!((refused.status, refused.code()), (403, "forbidden"));

    let body = r#"{"old":"correct horse","new":"battery staple"}"#;
    let changed = site
        .post("/api/password", body, &[("authorization", &bearer(&bob))])
        .await;
    assert_eq!((changed.status, changed.text.as_str()), (200, "{}"));
    let wrong = site
        .post("/api/password", body, &[("authorization", &bearer(&bob))])
        .await;
    assert_eq!((wrong.status, wrong.code()), (401, "bad_credentials"));
}
