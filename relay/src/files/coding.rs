//! Content codings: which one a client takes, which files are worth it, and the tags of what was
//! compressed.

use std::io::{self, Write};

use axum::http::header::ACCEPT_ENCODING;
use axum::http::{HeaderMap, HeaderValue};
use flate2::Compression;
use flate2::write::GzEncoder;

/// The two above it take twice and six times as long, for 6 and 8 percent less.
const BROTLI_QUALITY: i32 = 9;
/// Brotli looks back four megabytes, the most that all of its decoders know.
const BROTLI_WINDOW: i32 = 22;

/// How a file is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Coding {
    Brotli,
    Gzip,
}

impl Coding {
    /// The coding that a client takes and prefers; Brotli where it has no preference.
    pub(super) fn accepted(headers: &HeaderMap) -> Option<Self> {
        let mut best = None;
        for coding in [Self::Brotli, Self::Gzip] {
            let quality = coding.quality(headers);
            if quality > best.map_or(0, |(quality, _)| quality) {
                best = Some((quality, coding));
            }
        }
        best.map(|(_, coding)| coding)
    }

    /// How much a client wants it, in thousandths. What names it counts before the asterisk.
    fn quality(self, headers: &HeaderMap) -> u16 {
        let lines = headers.get_all(ACCEPT_ENCODING).iter();
        let members = lines.flat_map(|line| line.to_str().unwrap_or_default().split(','));
        let mut any = 0;
        for member in members {
            let (name, parameters) = member.split_once(';').unwrap_or((member, ""));
            let name = name.trim();
            if name.eq_ignore_ascii_case(self.name()) {
                return quality(parameters);
            }
            if name == "*" {
                any = quality(parameters);
            }
        }
        any
    }

    /// Its name in `Content-Encoding`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
        }
    }

    /// The ETag of what was compressed of the file that has this one: another text, because it is
    /// other bytes.
    pub(super) fn tag(self, file: &HeaderValue) -> Option<HeaderValue> {
        let opaque = file.to_str().ok()?.strip_suffix('"')?;
        HeaderValue::try_from(format!("{opaque}-{}\"", self.name())).ok()
    }

    /// Compresses a file. Takes a second for some megabytes.
    ///
    /// # Errors
    /// Never, as long as there is memory.
    pub(super) fn compress(self, file: &[u8]) -> io::Result<Vec<u8>> {
        match self {
            Self::Brotli => {
                let parameters = brotli::enc::BrotliEncoderParams {
                    quality: BROTLI_QUALITY,
                    lgwin: BROTLI_WINDOW,
                    size_hint: file.len(),
                    ..Default::default()
                };
                let mut compressed = Vec::new();
                brotli::BrotliCompress(&mut &*file, &mut compressed, &parameters)?;
                Ok(compressed)
            }
            Self::Gzip => {
                let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
                encoder.write_all(file)?;
                encoder.finish()
            }
        }
    }
}

/// Reads `q=0.5`, in thousandths.
fn quality(parameters: &str) -> u16 {
    let mut pairs = parameters
        .split(';')
        .filter_map(|pair| pair.split_once('='));
    let Some((_, value)) = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case("q")) else {
        return 1000;
    };
    let (whole, fraction) = value.trim().split_once('.').unwrap_or((value.trim(), ""));
    match (whole, format!("{fraction:0<3}").parse()) {
        ("0", Ok(thousandths @ ..=999)) => thousandths,
        ("1", Ok(0)) => 1000,
        _ => 0,
    }
}

/// Whether files of a type become shorter. Pictures, films and fonts are compressed already.
pub(super) fn is_compressible(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.starts_with("text/")
        || essence.ends_with("+json")
        || essence.ends_with("+xml")
        || matches!(
            essence,
            "application/javascript"
                | "application/json"
                | "application/wasm"
                | "application/xml"
                | "font/otf"
                | "font/ttf"
        )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_client_chooses_the_coding() {
        let (br, gzip) = (Some(Coding::Brotli), Some(Coding::Gzip));
        for (accepted, coding) in [
            ("gzip, deflate, br, zstd", br),
            ("gzip, deflate", gzip),
            ("GZip", gzip),
            ("br;q=0.5, gzip", gzip),
            ("br;q=0.5, gzip;q=0.25", br),
            ("br ; q=1.000 , gzip;q=1", br),
            ("br;q=0, gzip;Q=0.001", gzip),
            ("br;q=0, gzip;q=0.0", None),
            ("*", br),
            ("*;q=0.5, br;q=0", gzip),
            ("gzip;q=0, *", br),
            ("identity", None),
            ("identity;q=0.5, *;q=0", None),
            ("x-gzip", None),
            ("br;q=x, gzip;q=2", None),
            ("br;q=0.5000, gzip;q=0.4", gzip),
            ("", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, accepted.parse().unwrap());
            assert_eq!(Coding::accepted(&headers), coding, "{accepted}");
        }
        assert_eq!(Coding::accepted(&HeaderMap::new()), None);
        let mut two = HeaderMap::new();
        two.append(ACCEPT_ENCODING, "br;q=0.1".parse().unwrap());
        two.append(ACCEPT_ENCODING, "gzip".parse().unwrap());
        assert_eq!(Coding::accepted(&two), gzip);
    }

    #[test]
    fn what_is_compressed_has_another_tag() {
        let file = HeaderValue::from_static("\"66f.0-1a\"");
        assert_eq!(Coding::Brotli.tag(&file).unwrap(), "\"66f.0-1a-br\"");
        assert_eq!(Coding::Gzip.tag(&file).unwrap(), "\"66f.0-1a-gzip\"");
    }

    #[test]
    fn only_some_types_are_compressed() {
        for kind in [
            "text/html; charset=utf-8",
            "text/javascript",
            "application/json",
            "application/wasm",
            "application/manifest+json",
            "image/svg+xml",
        ] {
            assert!(is_compressible(kind), "{kind}");
        }
        for kind in [
            "image/png",
            "application/octet-stream",
            "video/mp4",
            "font/woff2",
            "",
        ] {
            assert!(!is_compressible(kind), "{kind}");
        }
    }
}
