//! Pure: how the command line names an image: `PATH`, `PATH:TAG`, `PATH@DIGEST`, and `-` for standard
//! input in place of the path.

use super::digest::Digest;
use crate::error::Result;

/// Which of the images in a place is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wanted {
    /// The only one, or the one that is called `latest`.
    Any,
    /// By tag or whole name.
    Tag(String),
    /// By the digest of its manifest, index or configuration.
    Digest(Digest),
}

/// One way to understand a reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reading<'a> {
    pub place: &'a str,
    wanted: &'a str,
}

/// Every way to understand `text`, the longest path first: a path may well contain `:` and `@`, and
/// so may the name of an image, so what exists decides.
pub(super) fn readings(text: &str) -> Vec<Reading<'_>> {
    let mut readings = vec![Reading { place: text, wanted: "" }];
    for (at, _) in text.rmatch_indices([':', '@']).filter(|(at, _)| *at > 0) {
        readings.push(Reading { place: &text[..at], wanted: &text[at..] });
    }
    readings
}

impl Reading<'_> {
    /// What follows the path.
    pub(super) fn wanted(&self) -> Result<Wanted> {
        match self.wanted.split_at_checked(1) {
            None => Ok(Wanted::Any),
            Some(("@", digest)) => Digest::parse(digest).map(Wanted::Digest),
            Some((_, tag)) => Ok(Wanted::Tag(tag.to_owned())),
        }
    }
}

/// Whether an image that is called `name` is meant by `tag`: a tag, or a name with or without the
/// parts that Docker adds to it.
pub(super) fn is_named(name: &str, tag: &str) -> bool {
    let short = |name: &str| -> String {
        let name = name.strip_prefix("docker.io/").unwrap_or(name);
        name.strip_prefix("library/").unwrap_or(name).to_owned()
    };
    let with_tag = |name: String| {
        let last = name.rsplit('/').next().unwrap_or_default();
        if last.contains(':') { name } else { format!("{name}:latest") }
    };
    name == tag
        || with_tag(short(name)) == with_tag(short(tag))
        || name
            .rsplit('/')
            .next()
            .and_then(|last| last.split_once(':'))
            .is_some_and(|it| it.1 == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reading_the_longest_path_first() {
        let places: Vec<_> = readings("a:b@c:d").into_iter().map(|it| it.place).collect();
        assert_eq!(places, ["a:b@c:d", "a:b@c", "a:b", "a"]);
        assert_eq!(readings(":x").len(), 1);
        let digest = format!("@sha256:{}", "0".repeat(64));
        let text = format!("img{digest}");
        let all = readings(&text);
        let reading = all.iter().find(|it| it.place == "img").unwrap();
        assert!(matches!(reading.wanted().unwrap(), Wanted::Digest(_)));
        assert_eq!(readings("img:v1:x")[2].wanted().unwrap(), Wanted::Tag("v1:x".to_owned()));
        assert_eq!(readings("img")[0].wanted().unwrap(), Wanted::Any);
        assert!(readings("img@sha256:1")[2].wanted().is_err());
    }

    #[test]
    fn names_with_and_without_what_docker_adds() {
        assert!(is_named("latest", "latest"));
        assert!(is_named("docker.io/library/busybox:latest", "busybox"));
        assert!(is_named("docker.io/library/busybox:1.36", "busybox:1.36"));
        assert!(is_named("busybox:1.36", "1.36"));
        assert!(is_named("localhost:5000/a/b:v1", "v1"));
        assert!(!is_named("localhost:5000/a/b", "5000/a/b"));
        assert!(!is_named("busybox:1.36", "1.3"));
        assert!(!is_named("busybox:1.36", "busybox"));
    }
}
