//! The files of a page: digested and compressed once, then only looked up.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use bytes::Bytes;
use flate2::{Compression, GzBuilder};
use sha2::{Digest, Sha256};

/// Files smaller than this do not get smaller by compression, in bytes.
const COMPRESS_MIN: usize = 256;
/// Files of a page read from disk: more is not a page, but a mistaken directory.
const FILES_MAX: usize = 2_000;
/// Bytes of a page read from disk, for the same reason.
const BYTES_MAX: u64 = 64 * 1024 * 1024;
/// One file, ready to send.
#[derive(Debug, Clone)]
pub(super) struct Asset {
    pub(super) bytes: Bytes,
    /// The same, compressed once; `None` where that does not pay.
    pub(super) gzip: Option<Bytes>,
    /// SHA-256 of the content, in hexadecimal.
    pub(super) digest: String,
}

/// The files of a page by their path, without a leading slash.
#[derive(Debug, Default)]
pub struct Files(BTreeMap<String, Asset>);

impl Files {
    /// Takes in files: digests and compresses each once.
    pub fn new(files: impl IntoIterator<Item = (String, Bytes)>) -> Self {
        Self(
            files
                .into_iter()
                .map(|(path, bytes)| (path, Asset::new(bytes)))
                .collect(),
        )
    }

    /// The file of a path, and the path as it is kept here.
    pub(super) fn get(&self, path: &str) -> Option<(&str, &Asset)> {
        self.0
            .get_key_value(path)
            .map(|(path, asset)| (path.as_str(), asset))
    }

    /// Reads a directory with everything below it. Hidden files and links are left out.
    pub(super) fn read(directory: &Path) -> std::io::Result<Self> {
        let mut found = Vec::new();
        let mut bytes_total = 0;
        let mut open = vec![(directory.to_owned(), String::new())];
        while let Some((place, prefix)) = open.pop() {
            for entry in std::fs::read_dir(&place)? {
                let entry = entry?;
                let Some(name) = entry
                    .file_name()
                    .to_str()
                    .filter(|name| !name.starts_with('.'))
                    .map(str::to_owned)
                else {
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
                    found.push((
                        format!("{prefix}{name}"),
                        Bytes::from(std::fs::read(entry.path())?),
                    ));
                }
            }
        }
        Ok(Self::new(found))
    }
}

impl Asset {
    fn new(bytes: Bytes) -> Self {
        let digest = Sha256::digest(&bytes)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        Self {
            gzip: compress(&bytes),
            digest,
            bytes,
        }
    }
}

/// The bytes in gzip (RFC 1952), when that is worth it. The same input gives the same output
/// everywhere.
fn compress(bytes: &Bytes) -> Option<Bytes> {
    if bytes.len() < COMPRESS_MIN {
        return None;
    }
    let mut encoder = GzBuilder::new()
        .mtime(0)
        .write(Vec::new(), Compression::best());
    encoder.write_all(bytes).expect("a Vec takes every byte");
    let packed = encoder.finish().expect("a Vec takes every byte");
    // Pictures and fonts are compressed already.
    (packed.len() < bytes.len() * 9 / 10).then(|| packed.into())
}

pub(super) fn content_type(path: &str) -> &'static str {
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
