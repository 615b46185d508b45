//! Parts of an import that are read while those before them are added up.

use rayon::prelude::*;

/// Reads the next batch while the one before is added, on two cores. An empty batch is the end. No more than two
/// batches are in memory.
pub(super) fn overlapped<T: Send>(
    mut next: impl FnMut() -> Vec<T> + Send,
    mut add: impl FnMut(T) + Send,
) {
    let mut batch = next();
    while !batch.is_empty() {
        let add = || batch.into_iter().for_each(&mut add);
        (batch, ()) = rayon::join(&mut next, add);
    }
}

/// Reads the items of a list, a batch at a time on every core, while those of the batch before are added in the order of
/// the list. `read` gets the index of the item, too.
pub(super) fn in_batches<T: Sync, R: Send>(
    items: &[T],
    batch: usize,
    read: impl Fn(usize, &T) -> R + Sync,
    mut add: impl FnMut(&T, R) + Send,
) {
    let mut batches = items.chunks(batch).enumerate();
    overlapped(
        || {
            let Some((at, items)) = batches.next() else {
                return Vec::new();
            };
            let items = items.par_iter().enumerate();
            let read = |(index, item)| (item, read(at * batch + index, item));
            items.map(read).collect()
        },
        |(item, result)| add(item, result),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_added_once_each_in_the_order_of_the_list() {
        for count in [0, 1, 3, 4, 5, 1_000] {
            let items: Vec<usize> = (0..count).map(|item| item * 2).collect();
            let mut added = Vec::new();
            let read = |index: usize, item: &usize| (index, item + 1);
            in_batches(&items, 4, read, |item, read| added.push((*item, read)));
            let expected = (0..count).map(|index| (index * 2, (index, index * 2 + 1)));
            assert_eq!(added, expected.collect::<Vec<_>>());
        }
    }
}
