//! The page: the files of the web client, served with the headers that make them fast and safe.
//!
//! Release builds carry the files in the program; debug builds read `web/dist` when asked, so that
//! a rebuilt page is there at the next reload. It knows nothing of rooms or sessions. It takes
//! every path that nobody else took: the page's own routes are answered with its entry.

mod files;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::{Method, Response, StatusCode};

use files::{Asset, content_type};

pub use files::Files;

/// The entry of the page, and the answer to its client-side routes.
const ENTRY: &str = "index.html";
/// Vite names everything in here by its content, so it never changes under its name.
const HASHED: &str = "assets/";
/// Paths of the machine interface: an unknown one is an error, never the page.
const NOT_PAGES: &[&str] = &["api", "ws", "socket.io", "metrics", "livez", "readyz"];

/// Only our own files, nothing inline, no frames, no plug-ins; text never becomes markup by
/// accident.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
    connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'self'; \
    frame-ancestors 'none'; require-trusted-types-for 'script'";

/// The headers of every answer.
const SAFETY: [(HeaderName, &str); 5] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
];

#[cfg(page_embedded)]
mod embedded {
    include!(concat!(env!("OUT_DIR"), "/page_files.rs"));
}

/// Where the page comes from.
#[derive(Debug)]
pub struct Page(Source);

#[derive(Debug)]
enum Source {
    /// In memory, for ever.
    Files(Files),
    /// A directory that may be built anew at any time.
    Directory {
        path: PathBuf,
        read: Mutex<Option<(SystemTime, Arc<Files>)>>,
    },
    /// Built without a page.
    None,
}

impl Page {
    /// The page that this program was built with.
    #[must_use]
    pub fn built() -> Self {
        #[cfg(page_embedded)]
        return Self::from_files(Files::new(
            embedded::FILES
                .iter()
                .map(|&(path, bytes)| (path.to_owned(), bytes::Bytes::from_static(bytes))),
        ));
        #[cfg(not(page_embedded))]
        match option_env!("BUILT_PAGE_DIRECTORY") {
            Some(path) => Self::from_directory(PathBuf::from(path)),
            None => Self::absent(),
        }
    }

    /// No page: every path is answered with the reason.
    #[must_use]
    pub fn absent() -> Self {
        Self(Source::None)
    }

    /// A page of these files.
    #[must_use]
    pub fn from_files(files: Files) -> Self {
        Self(Source::Files(files))
    }

    /// A page read from a directory, and again whenever its entry changes.
    #[must_use]
    pub fn from_directory(path: PathBuf) -> Self {
        Self(Source::Directory {
            path,
            read: Mutex::new(None),
        })
    }

    /// Answers a request for a path.
    #[must_use]
    pub fn respond(&self, method: &Method, path: &str, headers: &HeaderMap) -> Response<Body> {
        if !matches!(*method, Method::GET | Method::HEAD) {
            let mut refused = notice(
                StatusCode::METHOD_NOT_ALLOWED,
                "Only GET and HEAD are answered here.\n",
            );
            refused
                .headers_mut()
                .insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
            return refused;
        }
        let mut response = match &self.0 {
            Source::Files(files) => files.respond(path, headers),
            Source::Directory {
                path: directory,
                read,
            } => match current(directory, read) {
                Some(files) => files.respond(path, headers),
                // What is never a page is not one that has to be built.
                None if NOT_PAGES.contains(&first_part(path)) => nothing_here(),
                None => not_built(directory),
            },
            Source::None => notice(
                StatusCode::NOT_FOUND,
                "This server was built without its page. Its interfaces answer as usual.\n",
            ),
        };
        if method == Method::HEAD {
            *response.body_mut() = Body::empty();
        }
        response
    }
}

/// The files of the directory as they are now. Debug builds only, so reading in the middle of a
/// task is fine.
fn current(directory: &Path, read: &Mutex<Option<(SystemTime, Arc<Files>)>>) -> Option<Arc<Files>> {
    let stamp = std::fs::metadata(directory.join(ENTRY))
        .and_then(|entry| entry.modified())
        .ok()?;
    // A panic elsewhere cannot leave half a table here: it is replaced as a whole.
    let mut read = read.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((known, files)) = read.as_ref()
        && *known == stamp
    {
        return Some(Arc::clone(files));
    }
    match Files::read(directory) {
        Ok(files) => {
            let files = Arc::new(files);
            *read = Some((stamp, Arc::clone(&files)));
            Some(files)
        }
        Err(error) => {
            tracing::warn!(directory = %directory.display(), %error, "the page cannot be read");
            None
        }
    }
}

impl Files {
    fn respond(&self, path: &str, headers: &HeaderMap) -> Response<Body> {
        let first = first_part(path);
        let path = path.trim_start_matches('/');
        let last = path.rsplit('/').next().unwrap_or_default();
        if let Some((name, asset)) = self.get(path) {
            return asset.respond(name, headers);
        }
        // A missing file must not turn into a page: a script that is HTML fails in a far stranger
        // way.
        let is_route =
            !last.contains('.') && !NOT_PAGES.contains(&first) && !path.starts_with(HASHED);
        match self.get(ENTRY) {
            Some((name, entry)) if is_route => entry.respond(name, headers),
            Some(_) | None => nothing_here(),
        }
    }
}

fn first_part(path: &str) -> &str {
    let path = path.trim_start_matches('/');
    path.split('/').next().unwrap_or_default()
}

fn nothing_here() -> Response<Body> {
    notice(StatusCode::NOT_FOUND, "There is nothing at this address.\n")
}

impl Asset {
    fn respond(&self, path: &str, headers: &HeaderMap) -> Response<Body> {
        let gzip = self.gzip.as_ref().filter(|_| accepts_gzip(headers));
        // Two encodings are two representations, so a strong tag has to differ (RFC 9110, section
        // 8.8.3.3).
        let tag = format!(
            "\"{}{}\"",
            self.digest,
            if gzip.is_some() { "-gzip" } else { "" }
        );
        let is_known = headers
            .get_all(header::IF_NONE_MATCH)
            .iter()
            .any(|tags| names_tag(tags, &tag));
        let caching = if path.starts_with(HASHED) {
            "public, max-age=31536000, immutable"
        } else {
            "no-cache"
        };

        let mut response = Response::new(Body::empty());
        let fields = response.headers_mut();
        fields.insert(
            header::ETAG,
            HeaderValue::from_str(&tag).expect("hexadecimal digits are a header value"),
        );
        fields.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
        fields.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        if is_known {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        } else {
            let body = gzip.unwrap_or(&self.bytes);
            fields.insert(
                header::CONTENT_TYPE,
                HeaderValue::from_static(content_type(path)),
            );
            fields.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
            if gzip.is_some() {
                fields.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            }
            *response.body_mut() = Body::from(body.clone());
        }
        with_safety(response)
    }
}

/// Whether the client takes gzip: named, or by `*`, and not with a weight of zero (RFC 9110,
/// section 12.5.3).
fn accepts_gzip(headers: &HeaderMap) -> bool {
    let mut by_star = false;
    for value in headers
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
    {
        for part in value.split(',') {
            let (coding, parameters) = part.split_once(';').unwrap_or((part, ""));
            let weight = parameters
                .trim()
                .strip_prefix("q=")
                .and_then(|weight| weight.trim().parse::<f32>().ok());
            let is_wanted = weight.is_none_or(|weight| weight > 0.0);
            match coding.trim().to_ascii_lowercase().as_str() {
                "gzip" => return is_wanted,
                "*" => by_star = is_wanted,
                _ => {}
            }
        }
    }
    by_star
}

/// Whether an `If-None-Match` names the tag; compared weakly, as RFC 9110, section 13.1.2 says.
fn names_tag(tags: &HeaderValue, tag: &str) -> bool {
    tags.to_str().is_ok_and(|tags| {
        tags.split(',')
            .map(str::trim)
            .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
    })
}

/// A debug build without a built page: says what to type.
fn not_built(directory: &Path) -> Response<Body> {
    let text = format!(
        "The page is not built yet. Type:\n\n    npm ci && npm run build --workspace web\n\nand reload. It is looked for in {}.\n",
        directory.display()
    );
    notice(StatusCode::SERVICE_UNAVAILABLE, text)
}

fn notice(status: StatusCode, text: impl Into<String>) -> Response<Body> {
    let mut response = Response::new(Body::from(text.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    with_safety(response)
}

fn with_safety(mut response: Response<Body>) -> Response<Body> {
    for (name, value) in SAFETY {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}

/// The page as a fallback: merge it last, below the routes of the interfaces.
pub fn router(page: Page) -> Router {
    let page = Arc::new(page);
    Router::new().fallback(move |request: Request| {
        let response = page.respond(request.method(), request.uri().path(), request.headers());
        std::future::ready(response)
    })
}

#[cfg(test)]
mod tests;
