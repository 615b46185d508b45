//! Which known word an unknown one was probably meant to be.

use std::collections::{BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// Up to so many words, each is compared.
const FEW: usize = 5_000;
/// Of more words, so many candidates are compared.
const CANDIDATES: usize = 200;

/// The candidate that `word` was probably meant to be: at most a third of its letters differ, whatever their case.
pub fn nearest_word<'w>(
    word: &str,
    candidates: impl IntoIterator<Item = &'w str>,
) -> Option<&'w str> {
    let word = word.to_lowercase();
    let length = word.chars().count();
    let limit = (length / 3).max(1);
    candidates
        .into_iter()
        // The distance is at least the difference of the lengths, and costs their product.
        .filter(|candidate| candidate.chars().count().abs_diff(length) <= limit)
        .map(|candidate| {
            let distance = strsim::damerau_levenshtein(&word, &candidate.to_lowercase());
            (distance, candidate)
        })
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Many known words, in which the nearest one is found without comparing all: of more than 5,000, one that differs by
/// one letter is found for sure, one that differs by more only if it sorts close by.
#[derive(Debug)]
pub struct Words<'w> {
    all: Vec<&'w str>,
    /// By a hash of the word with one letter left out, or none: indices.
    shortened: HashMap<u64, Vec<u32>>,
}

impl<'w> Words<'w> {
    /// Takes up the words.
    pub fn new(words: impl IntoIterator<Item = &'w str>) -> Self {
        let all: BTreeSet<&str> = words.into_iter().collect();
        let all: Vec<&str> = all.into_iter().collect();
        let mut shortened: HashMap<u64, Vec<u32>> = HashMap::new();
        if all.len() > FEW {
            for (at, word) in all.iter().enumerate() {
                for hash in shortenings(word) {
                    shortened.entry(hash).or_default().push(at as u32);
                }
            }
        }
        Self { all, shortened }
    }

    /// See [`nearest_word`].
    pub fn nearest(&self, word: &str) -> Option<&'w str> {
        if self.all.len() <= FEW {
            return nearest_word(word, self.all.iter().copied());
        }
        let mut candidates: BTreeSet<u32> = shortenings(word)
            .into_iter()
            .filter_map(|hash| self.shortened.get(&hash))
            .flat_map(|found| found.iter().take(CANDIDATES))
            .copied()
            .collect();
        let place = self.all.partition_point(|known| *known < word);
        let beside = place.saturating_sub(CANDIDATES)..(place + CANDIDATES).min(self.all.len());
        candidates.extend(beside.map(|at| at as u32));
        nearest_word(word, candidates.iter().map(|at| self.all[*at as usize]))
    }
}

/// Hashes of the word in lower case, and of all that it is with one letter left out.
fn shortenings(word: &str) -> Vec<u64> {
    let letters: Vec<char> = word.to_lowercase().chars().collect();
    let hash = |left_out: usize| {
        let mut hasher = DefaultHasher::new();
        for (at, letter) in letters.iter().enumerate() {
            if at != left_out {
                letter.hash(&mut hasher);
            }
        }
        hasher.finish()
    };
    (0..=letters.len()).map(hash).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_word_of_a_hundred_thousand_is_found_by_a_letter_that_differs() {
        let ids: Vec<String> = (0..100_000)
            .map(|at| format!("cam{}-street-{:06}-left", at % 7, at * 37))
            .collect();
        let words = Words::new(ids.iter().map(String::as_str));
        let meant = ids[41_234].as_str();
        for (at, typo) in [(0, 'k'), (9, 'u'), (meant.len() - 1, 'f')] {
            let mut wrong: Vec<char> = meant.chars().collect();
            wrong[at] = typo;
            let wrong: String = wrong.into_iter().collect();
            let found = words.nearest(&wrong).unwrap();
            let distance = strsim::damerau_levenshtein(&wrong, found);
            assert_eq!(distance, 1, "{wrong} {found}");
        }
        let swapped = meant.replace("street", "srteet");
        assert_eq!(words.nearest(&swapped), Some(meant));
        assert_eq!(words.nearest(&meant.to_uppercase()), Some(meant));
        assert_eq!(words.nearest("nothing of the kind"), None);
    }
}
