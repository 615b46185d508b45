//! Suggestions for misspelt words.

use std::collections::{BTreeSet, HashMap};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// Up to this many words, all are compared.
const FEW: usize = 5_000;
/// Of more words, at most this many with the same hash, and as many before and after in sort order.
const CANDIDATES: usize = 200;

/// The most similar candidate. At most a third of the letters may differ; case is ignored.
pub fn nearest_word<'w>(
    word: &str,
    candidates: impl IntoIterator<Item = &'w str>,
) -> Option<&'w str> {
    let word = word.to_lowercase();
    let length = word.chars().count();
    let limit = (length / 3).max(1);
    candidates
        .into_iter()
        // Cheap filter: the edit distance is at least the difference of the lengths.
        .filter(|candidate| candidate.chars().count().abs_diff(length) <= limit)
        .map(|candidate| {
            let distance = strsim::damerau_levenshtein(&word, &candidate.to_lowercase());
            (distance, candidate)
        })
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// An index for suggestions from many words. Of more than 5,000 words, it always finds one that differs by one letter,
/// and one that differs by more only if it is close in sort order.
#[derive(Debug)]
pub struct WordIndex<'w> {
    all: Vec<&'w str>,
    /// Indices of words by the hashes of [`deletions`].
    by_deletion: HashMap<u64, Vec<u32>>,
}

impl<'w> WordIndex<'w> {
    pub fn new(words: impl IntoIterator<Item = &'w str>) -> Self {
        let all: BTreeSet<&str> = words.into_iter().collect();
        let all: Vec<&str> = all.into_iter().collect();
        let mut by_deletion: HashMap<u64, Vec<u32>> = HashMap::new();
        if all.len() > FEW {
            for (at, word) in all.iter().enumerate() {
                for hash in deletions(word) {
                    by_deletion.entry(hash).or_default().push(at as u32);
                }
            }
        }
        Self { all, by_deletion }
    }

    /// See [`nearest_word`].
    pub fn nearest(&self, word: &str) -> Option<&'w str> {
        if self.all.len() <= FEW {
            return nearest_word(word, self.all.iter().copied());
        }
        let mut candidates: BTreeSet<u32> = deletions(word)
            .into_iter()
            .filter_map(|hash| self.by_deletion.get(&hash))
            .flat_map(|found| found.iter().take(CANDIDATES))
            .copied()
            .collect();
        let position = self.all.partition_point(|known| *known < word);
        let neighbours =
            position.saturating_sub(CANDIDATES)..(position + CANDIDATES).min(self.all.len());
        candidates.extend(neighbours.map(|at| at as u32));
        nearest_word(word, candidates.iter().map(|at| self.all[*at as usize]))
    }
}

/// Hashes of the word in lower case, and of every word that results from deleting one of its letters.
fn deletions(word: &str) -> Vec<u64> {
    let letters: Vec<char> = word.to_lowercase().chars().collect();
    let hash = |deleted: usize| {
        let mut hasher = DefaultHasher::new();
        for (at, letter) in letters.iter().enumerate() {
            if at != deleted {
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
    fn a_word_with_one_different_letter_is_found_among_a_hundred_thousand() {
        let ids: Vec<String> = (0..100_000)
            .map(|at| format!("cam{}-street-{:06}-left", at % 7, at * 37))
            .collect();
        let words = WordIndex::new(ids.iter().map(String::as_str));
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
        assert_eq!(words.nearest("completely different"), None);
    }
}
