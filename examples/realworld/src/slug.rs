//! Slugs: what an article is called in a URL.

use std::iter;

use auth_poem::prelude::Uuid;

/// How long a slug may be, without its suffix.
const LONGEST: usize = 80;

/// Names that stand in the place of a slug and mean something else: `GET /articles/feed`.
const RESERVED: &[&str] = &["feed"];

/// The slug of a title whose letters cannot be written in a URL.
const NAMELESS: &str = "article";

/// Slugs for a title, the best one first; each of the others ends with random digits. Enough that
/// one of them is free.
pub(crate) fn candidates(title: &str) -> impl Iterator<Item = String> {
    let stem = stem(title);
    let plain = Some(stem.clone()).filter(|stem| !RESERVED.contains(&stem.as_str()));
    let suffixed = iter::repeat_with(move || {
        let [a, b, c, d, ..] = Uuid::new_v4().into_bytes();
        format!("{stem}-{a:02x}{b:02x}{c:02x}{d:02x}")
    });
    plain.into_iter().chain(suffixed).take(8)
}

/// Whether the slug is one that [`candidates`] makes of the title.
pub(crate) fn fits(slug: &str, title: &str) -> bool {
    match slug.strip_prefix(&stem(title)) {
        Some("") => true,
        Some(rest) => rest.strip_prefix('-').is_some_and(|digits| {
            digits.len() == 8 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
        }),
        None => false,
    }
}

fn stem(title: &str) -> String {
    let mut stem = slug::slugify(title);
    stem.truncate(LONGEST);
    stem.truncate(stem.trim_end_matches('-').len());
    if stem.is_empty() { NAMELESS.into() } else { stem }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(title: &str) -> String {
        candidates(title).next().unwrap()
    }

    #[test]
    fn says_the_title_in_letters_that_a_url_carries() {
        assert_eq!(first("How to train your dragon"), "how-to-train-your-dragon");
        assert_eq!(first("  Crème & brûlée?! "), "creme-brulee");
        assert_eq!(first("日本"), "ri-ben");
        assert_eq!(first("!?"), "article");
        for title in ["../../etc/passwd", "a/b?c=d#e%00", "' OR 1=1 --"] {
            let slug = first(title);
            assert!(slug.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'), "{slug}");
        }
    }

    #[test]
    fn is_never_long_nor_ends_with_a_hyphen() {
        let slug = first(&"nine lives ".repeat(100));
        assert!(slug.len() <= LONGEST && !slug.ends_with('-'), "{slug}");
    }

    #[test]
    fn leaves_the_paths_of_other_operations_alone() {
        let slug = first("Feed");
        assert!(slug.starts_with("feed-"), "{slug}");
        assert!(fits(&slug, "Feed"));
    }

    #[test]
    fn goes_on_with_others_that_fit_the_title_too() {
        let all: Vec<String> = candidates("Dragons").collect();
        assert_eq!((all.len(), all[0].as_str()), (8, "dragons"));
        assert_ne!(all[1], all[2]);
        assert!(all.iter().all(|slug| fits(slug, "Dragons!")), "{all:?}");
        assert!(!fits("dragons-of-eden", "Dragons") && !fits("dragon", "Dragons"));
    }
}
