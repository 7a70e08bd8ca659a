//! Paths as URIs.
//!
//! Invariant: what lies below here is relative, with `/` between parts, and needs no knowledge of the
//! machine.

use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

/// What a path may have as it is: RFC 3986's unreserved characters, and the slash.
const KEPT: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// Where a path is: relative to `here`, else as an absolute URI.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Uri {
    Relative(String),
    Absolute(String),
}

/// The URI of a path.
pub(super) fn of(path: &Path, here: &Path) -> Uri {
    let path = resolved(&here.join(path));
    match path.strip_prefix(resolved(here)) {
        Ok(below) => Uri::Relative(encoded(below)),
        Err(_) => Uri::Absolute(format!("file://{}", encoded(&path))),
    }
}

/// An absolute path without `.` and `..`.
fn resolved(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            _ => plain.push(part),
        }
    }
    plain
}

fn encoded(path: &Path) -> String {
    percent_encode(path.as_os_str().as_bytes(), &KEPT).to_string()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Uri, of};

    #[test]
    fn what_lies_below_here_is_relative_and_the_rest_absolute() {
        let uri = |path: &str| of(Path::new(path), Path::new("/home/me"));
        let relative = |uri: &str| Uri::Relative(uri.into());
        assert_eq!(uri("src/a.rs"), relative("src/a.rs"));
        assert_eq!(uri("./x/../a.rs"), relative("a.rs"));
        assert_eq!(uri("/home/me/a.rs"), relative("a.rs"));
        assert_eq!(uri("../you/a.rs"), Uri::Absolute("file:///home/you/a.rs".into()));
        assert_eq!(uri("/home/mean/a.rs"), Uri::Absolute("file:///home/mean/a.rs".into()));
    }

    #[test]
    fn what_a_uri_may_not_have_is_percent_encoded() {
        let uri = of(Path::new("a b/50%#ü?:.rs"), Path::new("/"));
        assert_eq!(uri, Uri::Relative("a%20b/50%25%23%C3%BC%3F%3A.rs".into()));
    }
}
