//! The page: the files of the web client, served with the headers that make them fast and safe.
//!
//! Release builds carry the files in the program; debug builds read `web/dist` when asked, so that a rebuilt page
//! is there at the next reload. It knows nothing of rooms or sessions. It takes every path that nobody else
//! took: the page's own routes are answered with its entry.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::{Method, Response, StatusCode};
use bytes::Bytes;
use flate2::{Compression, GzBuilder};
use sha2::{Digest, Sha256};

/// The entry of the page, and the answer to its client-side routes.
const ENTRY: &str = "index.html";
/// Vite names everything in here by its content, so it never changes under its name.
const HASHED: &str = "assets/";
/// Files smaller than this do not get smaller by compression, in bytes.
const COMPRESS_MIN: usize = 256;
/// Files of a page read from disk: more is not a page, but a mistaken directory.
const FILES_MAX: usize = 2_000;
/// Bytes of a page read from disk, for the same reason.
const BYTES_MAX: u64 = 64 * 1024 * 1024;
/// Paths of the machine interface: an unknown one is an error, never the page.
const NOT_PAGES: &[&str] = &["api", "ws", "socket.io", "metrics", "livez", "readyz"];

/// Only our own files, nothing inline, no frames, no plug-ins; text never becomes markup by accident.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
    connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'self'; \
    frame-ancestors 'none'; require-trusted-types-for 'script'";

/// The headers of every answer.
const SAFETY: [(HeaderName, &str); 5] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

#[cfg(page_embedded)]
mod embedded {
    include!(concat!(env!("OUT_DIR"), "/page_files.rs"));
}

/// One file, ready to send.
#[derive(Debug, Clone)]
struct Asset {
    bytes: Bytes,
    /// The same, compressed once; `None` where that does not pay.
    gzip: Option<Bytes>,
    /// SHA-256 of the content, in hexadecimal.
    digest: String,
}

/// The files of a page by their path, without a leading slash.
#[derive(Debug, Default)]
pub struct Files(BTreeMap<String, Asset>);

impl Files {
    /// Takes in files: digests and compresses each once.
    pub fn new(files: impl IntoIterator<Item = (String, Bytes)>) -> Self {
        Self(files.into_iter().map(|(path, bytes)| (path, Asset::new(bytes))).collect())
    }

    /// Reads a directory with everything below it. Hidden files and links are left out.
    fn read(directory: &Path) -> std::io::Result<Self> {
        let mut found = Vec::new();
        let mut bytes_total = 0;
        let mut open = vec![(directory.to_owned(), String::new())];
        while let Some((place, prefix)) = open.pop() {
            for entry in std::fs::read_dir(&place)? {
                let entry = entry?;
                let Some(name) = entry.file_name().to_str().filter(|name| !name.starts_with('.')).map(str::to_owned) else {
                    continue;
                };
                let kind = entry.file_type()?;
                if kind.is_dir() {
                    open.push((entry.path(), format!("{prefix}{name}/")));
                } else if kind.is_file() {
                    bytes_total += entry.metadata()?.len();
                    if found.len() >= FILES_MAX || bytes_total > BYTES_MAX {
                        return Err(std::io::Error::other("too large to be a page"));
                    }
                    found.push((format!("{prefix}{name}"), Bytes::from(std::fs::read(entry.path())?)));
                }
            }
        }
        Ok(Self::new(found))
    }
}

impl Asset {
    fn new(bytes: Bytes) -> Self {
        let digest = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        Self { gzip: compress(&bytes), digest, bytes }
    }
}

/// The bytes in gzip (RFC 1952), when that is worth it. The same input gives the same output everywhere.
fn compress(bytes: &Bytes) -> Option<Bytes> {
    if bytes.len() < COMPRESS_MIN {
        return None;
    }
    let mut encoder = GzBuilder::new().mtime(0).write(Vec::new(), Compression::best());
    encoder.write_all(bytes).expect("a Vec takes every byte");
    let packed = encoder.finish().expect("a Vec takes every byte");
    // Pictures and fonts are compressed already.
    (packed.len() < bytes.len() * 9 / 10).then(|| packed.into())
}

/// Where the page comes from.
#[derive(Debug)]
pub struct Page(Source);

#[derive(Debug)]
enum Source {
    /// In memory, for ever.
    Files(Files),
    /// A directory that may be built anew at any time.
    Directory { path: PathBuf, read: Mutex<Option<(SystemTime, Arc<Files>)>> },
    /// Built without a page.
    None,
}

impl Page {
    /// The page that this program was built with.
    #[must_use]
    pub fn built() -> Self {
        #[cfg(page_embedded)]
        return Self::from_files(Files::new(
            embedded::FILES.iter().map(|&(path, bytes)| (path.to_owned(), Bytes::from_static(bytes))),
        ));
        #[cfg(not(page_embedded))]
        match option_env!("CHINWAG_PAGE_DIRECTORY") {
            Some(path) => Self::from_directory(PathBuf::from(path)),
            None => Self(Source::None),
        }
    }

    /// A page of these files.
    #[must_use]
    pub fn from_files(files: Files) -> Self {
        Self(Source::Files(files))
    }

    /// A page read from a directory, and again whenever its entry changes.
    #[must_use]
    pub fn from_directory(path: PathBuf) -> Self {
        Self(Source::Directory { path, read: Mutex::new(None) })
    }

    /// Answers a request for a path.
    #[must_use]
    pub fn respond(&self, method: &Method, path: &str, headers: &HeaderMap) -> Response<Body> {
        if !matches!(*method, Method::GET | Method::HEAD) {
            let mut refused = notice(StatusCode::METHOD_NOT_ALLOWED, "Only GET and HEAD are answered here.\n");
            refused.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
            return refused;
        }
        let mut response = match &self.0 {
            Source::Files(files) => files.respond(path, headers),
            Source::Directory { path: directory, read } => match current(directory, read) {
                Some(files) => files.respond(path, headers),
                None => not_built(directory),
            },
            Source::None => notice(StatusCode::NOT_FOUND, "This server was built without its page. Its interfaces answer as usual.\n"),
        };
        if method == Method::HEAD {
            *response.body_mut() = Body::empty();
        }
        response
    }
}

/// The files of the directory as they are now. Debug builds only, so reading in the middle of a task is fine.
fn current(directory: &Path, read: &Mutex<Option<(SystemTime, Arc<Files>)>>) -> Option<Arc<Files>> {
    let stamp = std::fs::metadata(directory.join(ENTRY)).and_then(|entry| entry.modified()).ok()?;
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
        let path = path.trim_start_matches('/');
        let first = path.split('/').next().unwrap_or_default();
        let last = path.rsplit('/').next().unwrap_or_default();
        if let Some((name, asset)) = self.0.get_key_value(path) {
            return asset.respond(name, headers);
        }
        // A missing file must not turn into a page: a script that is HTML fails in a far stranger way.
        let is_route = !last.contains('.') && !NOT_PAGES.contains(&first) && !path.starts_with(HASHED);
        match self.0.get(ENTRY) {
            Some(entry) if is_route => entry.respond(ENTRY, headers),
            Some(_) | None => notice(StatusCode::NOT_FOUND, "There is nothing at this address.\n"),
        }
    }
}

impl Asset {
    fn respond(&self, path: &str, headers: &HeaderMap) -> Response<Body> {
        let gzip = self.gzip.as_ref().filter(|_| accepts_gzip(headers));
        // Two encodings are two representations, so a strong tag has to differ (RFC 9110, section 8.8.3.3).
        let tag = format!("\"{}{}\"", self.digest, if gzip.is_some() { "-gzip" } else { "" });
        let is_known = headers.get_all(header::IF_NONE_MATCH).iter().any(|tags| names_tag(tags, &tag));
        let caching = if path.starts_with(HASHED) { "public, max-age=31536000, immutable" } else { "no-cache" };

        let mut response = Response::new(Body::empty());
        let fields = response.headers_mut();
        fields.insert(header::ETAG, HeaderValue::from_str(&tag).expect("hexadecimal digits are a header value"));
        fields.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
        fields.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        if is_known {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        } else {
            let body = gzip.unwrap_or(&self.bytes);
            fields.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type(path)));
            fields.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
            if gzip.is_some() {
                fields.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            }
            *response.body_mut() = Body::from(body.clone());
        }
        with_safety(response)
    }
}

/// Whether the client takes gzip: named, or by `*`, and not with a weight of zero (RFC 9110, section 12.5.3).
fn accepts_gzip(headers: &HeaderMap) -> bool {
    let mut by_star = false;
    for value in headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok()) {
        for part in value.split(',') {
            let (coding, parameters) = part.split_once(';').unwrap_or((part, ""));
            let weight = parameters.trim().strip_prefix("q=").and_then(|weight| weight.trim().parse::<f32>().ok());
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
        tags.split(',').map(str::trim).any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
    })
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "txt" => "text/plain; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "avif" => "image/avif",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "wasm" => "application/wasm",
        "mp3" => "audio/mpeg",
        "ogg" | "opus" => "audio/ogg",
        _ => "application/octet-stream",
    }
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
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    with_safety(response)
}

fn with_safety(mut response: Response<Body>) -> Response<Body> {
    for (name, value) in SAFETY {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
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
