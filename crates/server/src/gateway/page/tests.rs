//! The page's answers, from a table in memory and from a directory.

use bytes::Bytes;
use http_body_util::BodyExt;
use tower::ServiceExt;

use super::*;

const SCRIPT: &str = "assets/index-BxQ2k9Zp.js";

fn page() -> Page {
    let files = [
        (ENTRY, "<!doctype html><title>Chinwag</title>".repeat(20)),
        (SCRIPT, "console.log('hello');".repeat(50)),
        (
            "sw.js",
            "self.addEventListener('fetch', () => {});".to_owned(),
        ),
        ("manifest.webmanifest", "{}".to_owned()),
        ("icon.svg", "<svg/>".to_owned()),
    ];
    Page::from_files(Files::new(
        files.map(|(path, text)| (path.to_owned(), Bytes::from(text))),
    ))
}

fn headers<const N: usize>(fields: [(HeaderName, &str); N]) -> HeaderMap {
    fields
        .into_iter()
        .map(|(name, value)| (name, HeaderValue::from_str(value).unwrap()))
        .collect()
}

fn get(path: &str) -> Response<Body> {
    page().respond(&Method::GET, path, &HeaderMap::new())
}

fn field(response: &Response<Body>, name: HeaderName) -> &str {
    response
        .headers()
        .get(name)
        .map_or("", |value| value.to_str().unwrap())
}

async fn body(response: Response<Body>) -> Bytes {
    response.into_body().collect().await.unwrap().to_bytes()
}

#[test]
fn each_path_gets_what_it_names() {
    let (html, script) = ("text/html; charset=utf-8", "text/javascript; charset=utf-8");
    let (fresh, for_ever) = ("no-cache", "public, max-age=31536000, immutable");
    for (path, status, kind, caching) in [
        ("/", 200, html, fresh),
        ("/index.html", 200, html, fresh),
        ("/rooms/r_abc", 200, html, fresh),
        ("/assets/index-BxQ2k9Zp.js", 200, script, for_ever),
        ("/sw.js", 200, script, fresh),
        (
            "/manifest.webmanifest",
            200,
            "application/manifest+json",
            fresh,
        ),
        ("/icon.svg", 200, "image/svg+xml", fresh),
        (
            "/assets/index-gone.js",
            404,
            "text/plain; charset=utf-8",
            "no-store",
        ),
        ("/assets/", 404, "text/plain; charset=utf-8", "no-store"),
        ("/favicon.ico", 404, "text/plain; charset=utf-8", "no-store"),
        ("/api/unknown", 404, "text/plain; charset=utf-8", "no-store"),
        (
            "/../Cargo.toml",
            404,
            "text/plain; charset=utf-8",
            "no-store",
        ),
    ] {
        let response = get(path);
        let found = (
            response.status().as_u16(),
            field(&response, header::CONTENT_TYPE),
            field(&response, header::CACHE_CONTROL),
        );
        assert_eq!(found, (status, kind, caching), "{path}");
    }
}

#[test]
fn every_answer_is_safe() {
    for path in ["/", "/assets/index-BxQ2k9Zp.js", "/nothing.js"] {
        let response = get(path);
        let policy = field(&response, header::CONTENT_SECURITY_POLICY).to_owned();
        for rule in [
            "default-src 'none'",
            "script-src 'self'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
        ] {
            assert!(policy.contains(rule), "{path}: {rule}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        assert!(!policy.contains("  "), "{policy}");
        assert_eq!(field(&response, header::X_CONTENT_TYPE_OPTIONS), "nosniff");
        assert_eq!(field(&response, header::REFERRER_POLICY), "no-referrer");
        assert_eq!(
            field(
                &response,
                HeaderName::from_static("cross-origin-opener-policy")
            ),
            "same-origin"
        );
    }
}

#[tokio::test]
async fn a_compressed_answer_is_the_same_text() {
    let wish = headers([(header::ACCEPT_ENCODING, "br, gzip;q=0.5")]);
    let packed = page().respond(&Method::GET, "/", &wish);
    assert_eq!(field(&packed, header::CONTENT_ENCODING), "gzip");
    assert_eq!(field(&packed, header::VARY), "accept-encoding");
    let plain = get("/");
    assert_ne!(
        field(&plain, header::ETAG),
        field(&packed, header::ETAG),
        "two representations, two tags"
    );
    assert_eq!(field(&plain, header::CONTENT_ENCODING), "");

    let length: usize = field(&packed, header::CONTENT_LENGTH).parse().unwrap();
    let packed = body(packed).await;
    assert_eq!(packed.len(), length);
    let mut unpacked = Vec::new();
    std::io::Read::read_to_end(
        &mut flate2::read::GzDecoder::new(&packed[..]),
        &mut unpacked,
    )
    .unwrap();
    assert_eq!(unpacked, body(plain).await);
}

#[test]
fn gzip_is_sent_only_to_those_who_take_it() {
    for (accepted, expected) in [
        ("gzip", true),
        ("deflate, GZIP", true),
        ("*", true),
        ("gzip;q=0", false),
        ("*, gzip;q=0", false),
        ("*;q=0", false),
        ("br", false),
        ("", false),
    ] {
        assert_eq!(
            accepts_gzip(&headers([(header::ACCEPT_ENCODING, accepted)])),
            expected,
            "{accepted}"
        );
    }
}

#[tokio::test]
async fn what_is_known_is_not_sent_again() {
    let tag = field(&get("/"), header::ETAG).to_owned();
    for (known, status) in [
        (tag.clone(), 304),
        (format!("W/{tag}"), 304),
        (format!("\"other\", {tag}"), 304),
        ("*".to_owned(), 304),
        ("\"other\"".to_owned(), 200),
    ] {
        let response = page().respond(
            &Method::GET,
            "/",
            &headers([(header::IF_NONE_MATCH, &known)]),
        );
        assert_eq!(response.status().as_u16(), status, "{known}");
        assert_eq!(field(&response, header::ETAG), tag);
        assert_eq!(body(response).await.is_empty(), status == 304);
    }
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let (head, get) = (
        page().respond(&Method::HEAD, "/", &HeaderMap::new()),
        get("/"),
    );
    assert_eq!(head.headers(), get.headers());
    assert!(body(head).await.is_empty());
    let refused = page().respond(&Method::POST, "/", &HeaderMap::new());
    assert_eq!(
        (refused.status().as_u16(), field(&refused, header::ALLOW)),
        (405, "GET, HEAD")
    );
}

#[tokio::test]
async fn the_router_gives_way_to_the_routes_of_others() {
    let router = Router::new()
        .route("/livez", axum::routing::get(|| async { "alive" }))
        .merge(router(page()));
    for (path, expected) in [("/livez", "alive"), ("/anywhere", "<!doctype html>")] {
        let request = axum::http::Request::get(path).body(Body::empty()).unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        assert!(
            body(response).await.starts_with(expected.as_bytes()),
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_directory_is_read_again_when_it_was_built_again() {
    let place = tempfile::tempdir().unwrap();
    let dist = place.path().join("dist");
    let page = Page::from_directory(dist.clone());
    let answer = || page.respond(&Method::GET, "/", &HeaderMap::new());

    let missing = answer();
    assert_eq!(missing.status().as_u16(), 503);
    let text = body(missing).await;
    assert!(
        std::str::from_utf8(&text)
            .unwrap()
            .contains("npm run build --workspace web")
    );

    for (second, text) in [(1_000, "first"), (2_000, "second")] {
        std::fs::create_dir_all(dist.join("assets")).unwrap();
        std::fs::write(dist.join(".hidden"), "secret").unwrap();
        std::fs::write(dist.join(ENTRY), text).unwrap();
        let moment = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(second);
        std::fs::File::options()
            .write(true)
            .open(dist.join(ENTRY))
            .unwrap()
            .set_modified(moment)
            .unwrap();
        assert_eq!(body(answer()).await, text);
        assert_eq!(
            page.respond(&Method::GET, "/.hidden", &HeaderMap::new())
                .status()
                .as_u16(),
            404
        );
    }
}

#[test]
fn a_server_without_a_page_says_so() {
    let response = Page::absent().respond(&Method::GET, "/", &HeaderMap::new());
    assert_eq!(response.status().as_u16(), 404);
}
