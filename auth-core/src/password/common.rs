//! Passwords that attackers try first: a list, and what people make of its words.

use std::sync::LazyLock;

use zeroize::Zeroizing;

/// The lines of `common.txt`, sorted.
static LIST: LazyLock<Vec<&'static [u8]>> = LazyLock::new(|| {
    let lines = include_str!("common.txt").lines();
    lines.filter(|line| !line.starts_with('#')).map(str::as_bytes).collect()
});

/// How many characters besides a common word, runs and years make a password uncommon.
const UNCOMMON: usize = 4;

/// A shorter run may be chance.
const RUN: usize = 3;

/// What was repeated must be longer than this to be looked up.
const SHORT_UNIT: usize = 4;

/// Beyond this length only repetitions are looked for, which is quick.
const LONG: usize = 64;

/// Rows, columns and patterns that fingers walk along, either way and round the end.
const TRACKS: &[&[u8]] = &[
    b"abcdefghijklmnopqrstuvwxyz",
    b"0123456789",
    b"02468",
    b"13579",
    b"00112233445566778899",
    b"147258369",
    b"741852963",
    b"!@#$%^&*()",
    b"qwertyuiop",
    b"asdfghjkl",
    b"zxcvbnm",
    b"qwertzuiop",
    b"yxcvbnm",
    b"azertyuiop",
    b"qsdfghjklm",
    b"wxcvbn",
    b"1qaz",
    b"2wsx",
    b"3edc",
    b"4rfv",
    b"5tgb",
    b"6yhn",
    b"7ujm",
    b"8ik,",
    b"9ol.",
    b"1q2w3e4r5t6y7u8i9o0p",
    b"q1w2e3r4t5y6u7i8o9p0",
    b"a1b2c3d4e5f6g7h8i9",
    b"1a2b3c4d5e6f7g8h9i",
    b"a1s2d3f4g5h6j7k8l9",
    b"aabbccddeeffgghhiijj",
];

/// Whether a password is among the most used ones, or made of one by the usual means. Letter case
/// and white space do not matter.
pub(super) fn is_common(password: &str) -> bool {
    let plain = password.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_lowercase());
    let plain: Zeroizing<String> = Zeroizing::new(plain.collect());
    let text = plain.as_bytes();
    is_listed(text) || is_repetition(&plain) || (text.len() <= LONG && is_word_with_trimmings(text))
}

fn is_listed(word: &[u8]) -> bool {
    LIST.binary_search(&word).is_ok()
}

/// Whether something short or listed is repeated from start to end, as in `abcabcabcabcabc`.
fn is_repetition(text: &str) -> bool {
    let bytes = text.as_bytes();
    let period = (1..=bytes.len() / 2)
        .find(|&period| bytes[period..].iter().zip(bytes).all(|(later, first)| later == first));
    match period.and_then(|period| text.get(..period)) {
        Some(unit) => unit.chars().count() <= SHORT_UNIT || is_listed(unit.as_bytes()),
        // Nothing but white space.
        None => bytes.is_empty(),
    }
}

/// Whether hardly anything is left without the copies of one common word, runs and years. Digits
/// that stand for letters do not hide a word.
fn is_word_with_trimmings(text: &[u8]) -> bool {
    let letters = Zeroizing::new(text.iter().map(|&byte| as_letter(byte)).collect::<Vec<u8>>());
    let runs: Vec<usize> = (0..text.len()).map(|at| run_or_year(&text[at..])).collect();
    let is_rest_short = |word: &[u8]| {
        let (mut at, mut rest) = (0, 0);
        while at < text.len() && rest < UNCOMMON {
            let is_word = !word.is_empty()
                && (text[at..].starts_with(word) || letters[at..].starts_with(word));
            match if is_word { word.len().max(runs[at]) } else { runs[at] } {
                0 => {
                    at += 1;
                    rest += 1;
                }
                length => at += length,
            }
        }
        rest < UNCOMMON
    };
    if is_rest_short(b"") {
        return true;
    }
    (0..text.len()).any(|start| {
        [text, &letters].iter().any(|text| is_any_listed_prefix(&text[start..], is_rest_short))
    })
}

/// Whether the text begins with a word of the list for which `holds`.
fn is_any_listed_prefix(text: &[u8], holds: impl Fn(&[u8]) -> bool) -> bool {
    // The words that begin with the first `at` bytes are neighbours.
    let mut words = LIST.as_slice();
    for (at, byte) in text.iter().enumerate() {
        let from = words.partition_point(|word| word.get(at) < Some(byte));
        let to = words.partition_point(|word| word.get(at) <= Some(byte));
        words = &words[from..to];
        match words.first() {
            None => return false,
            Some(word) if word.len() == at + 1 && holds(word) => return true,
            Some(_) => {}
        }
    }
    false
}

/// The letter that a digit or a sign is used for.
fn as_letter(byte: u8) -> u8 {
    match byte {
        b'0' => b'o',
        b'1' | b'!' => b'i',
        b'3' => b'e',
        b'4' | b'@' => b'a',
        b'5' | b'$' => b's',
        b'7' => b't',
        other => other,
    }
}

/// How many bytes at the start are a run or a year; 0 for neither.
fn run_or_year(text: &[u8]) -> usize {
    let same = text.iter().take_while(|&byte| *byte == text[0]).count();
    let run = TRACKS.iter().map(|track| walk(text, track)).fold(same, usize::max);
    match run {
        _ if is_year(text) => run.max(4),
        RUN.. => run,
        _ => 0,
    }
}

fn is_year(text: &[u8]) -> bool {
    (text.starts_with(b"19") || text.starts_with(b"20"))
        && text.get(2..4).is_some_and(|rest| rest.iter().all(u8::is_ascii_digit))
}

/// How many bytes at the start lie along the track, from any of its places in either direction.
fn walk(text: &[u8], track: &[u8]) -> usize {
    let length = |steps: &mut dyn Iterator<Item = &u8>| {
        steps.zip(text).take_while(|(key, byte)| key == byte).count()
    };
    (0..track.len())
        .filter(|&at| track[at] == text[0])
        .map(|at| {
            let forward = length(&mut track.iter().cycle().skip(at));
            let backward = length(&mut track.iter().rev().cycle().skip(track.len() - 1 - at));
            forward.max(backward)
        })
        .fold(0, usize::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_what_the_lookup_needs() {
        assert!(LIST.len() > 3000, "{}", LIST.len());
        assert!(LIST.is_sorted_by(|a, b| a < b), "sorted, without doubles");
        for word in LIST.iter() {
            let text = str::from_utf8(word).unwrap();
            assert!(word.len() >= 4, "{text}");
            assert!(word.iter().all(u8::is_ascii_graphic), "{text}");
            assert!(!word.iter().any(u8::is_ascii_uppercase), "{text}");
            assert!(is_common(text) && is_common(&text.to_uppercase()), "{text}");
        }
    }

    #[test]
    fn what_people_make_of_common_words_is_common() {
        for password in [
            "password",
            "Password2024!!!",
            "P@ssw0rd1234567",
            "passwordpassword",
            "password password",
            "Administrator1!",
            "thepassword1234",
            "!!!iloveyou1999",
            "letmein-letmein",
            "Qwertyuiop12345",
            "1qaz2wsx3edc4rfv",
            "qwertyuiopasdfghjkl",
            "abcdefghijklmnop",
            "zyxwvutsrqponml",
            "1234567890123456",
            "9876543210987654",
            "aaaaaaaaaaaaaaa",
            "ääääääääääääääää",
            "🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀",
            "abcabcabcabcabc",
            "x7x7x7x7x7x7x7x7",
            "               ",
            "a1b2c3d4e5f6g7h8",
        ] {
            assert!(is_common(password), "{password}");
        }
        assert!(is_common(&"dragon".repeat(100)));
    }

    #[test]
    fn what_is_not_is_not() {
        for password in [
            "dragonmonkeysunshine",
            "four plain little words",
            "vnqkzjwpxmbtrhc",
            "749205163882049",
            "my dog eats password cakes",
            "monkeyvnqk",
            "zwölf boxkämpfer jagen",
            "ünïcödé pässwörd fün",
            "🦀🐙🦑🐠🐡🦐🐬🐳🐋🦈🐊🐅🐆🦓🦍",
        ] {
            assert!(!is_common(password), "{password}");
        }
    }
}
