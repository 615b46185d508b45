//! Operations packed into calls.

use super::types::{Action, Batch, Call, Operation};

/// Annotations in one call, at most.
pub const MAX_ITEMS: usize = 128;
/// Bytes in one call's body, at most. The service's own limit is not documented; this is what its clients stay under.
pub const MAX_BYTES: usize = 4 * 1024 * 1024;
/// What a delete takes in a body, beside its two ids.
const PAIR_OVERHEAD: usize = 6;

/// The calls that an action takes part in.
fn calls_of(action: Action) -> &'static [Call] {
    match action {
        Action::Post => &[Call::Post],
        Action::Merge => &[Call::Merge],
        Action::Remove => &[Call::Remove],
        Action::Overwrite => &[Call::Overwrite],
        Action::Replace => &[Call::DeleteReplaced, Call::Post],
        Action::Delete => &[Call::Delete],
    }
}

const ORDER: [Call; 6] = [
    Call::DeleteReplaced,
    Call::Merge,
    Call::Remove,
    Call::Overwrite,
    Call::Post,
    Call::Delete,
];

/// Fills calls up across inputs, in the order in which they are made; operations keep their order within a kind.
pub(super) fn pack(operations: &[Operation]) -> Vec<Batch> {
    let mut batches = Vec::new();
    for call in ORDER {
        let mut items: Vec<u32> = Vec::new();
        let mut bytes = 0;
        for (at, operation) in operations
            .iter()
            .enumerate()
            .filter(|(_, o)| calls_of(o.action).contains(&call))
        {
            let size = size(call, operation);
            if items.len() == MAX_ITEMS || (!items.is_empty() && bytes + size > MAX_BYTES) {
                batches.push(Batch {
                    call,
                    operations: std::mem::take(&mut items),
                });
                bytes = 0;
            }
            items.push(at as u32);
            bytes += size;
        }
        if !items.is_empty() {
            batches.push(Batch {
                call,
                operations: items,
            });
        }
    }
    batches
}

fn size(call: Call, operation: &Operation) -> usize {
    match (call, &operation.body) {
        (Call::DeleteReplaced | Call::Delete, _) | (_, None) => {
            operation.id.as_str().len() + operation.input_id.as_str().len() + PAIR_OVERHEAD
        }
        (_, Some(body)) => body.as_str().len() + 1,
    }
}

/// The fewest calls these operations could take: over kinds, n / 128 rounded up.
pub(super) fn lower_bound(operations: &[Operation]) -> u64 {
    let count = |call| {
        operations
            .iter()
            .filter(|o| calls_of(o.action).contains(&call))
            .count()
    };
    ORDER
        .into_iter()
        .map(|call| count(call).div_ceil(MAX_ITEMS) as u64)
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{AnnotationId, InputId, Json};
    use crate::plan::Reason;

    fn operation(at: usize, action: Action, bytes: usize) -> Operation {
        Operation {
            action,
            input_id: InputId::new("a").unwrap(),
            id: AnnotationId::new(format!("{at}")).unwrap(),
            key: None,
            reason: Reason::Differs,
            matched: None,
            before: None,
            after: None,
            fingerprint: None,
            body: (bytes > 0).then(|| Json::from_value(&serde_json::json!("x".repeat(bytes)))),
        }
    }

    #[test]
    fn calls_fill_up_and_keep_their_order() {
        let mut operations: Vec<Operation> =
            (0..300).map(|at| operation(at, Action::Post, 10)).collect();
        operations.extend((300..430).map(|at| operation(at, Action::Delete, 0)));
        operations.push(operation(430, Action::Replace, 10));
        let batches = pack(&operations);
        let sizes: Vec<(Call, usize)> = batches
            .iter()
            .map(|b| (b.call, b.operations.len()))
            .collect();
        assert_eq!(
            sizes,
            [
                (Call::DeleteReplaced, 1),
                (Call::Post, 128),
                (Call::Post, 128),
                (Call::Post, 45),
                (Call::Delete, 128),
                (Call::Delete, 2),
            ]
        );
        assert_eq!(lower_bound(&operations), 6);
        let posts: Vec<u32> = batches
            .iter()
            .filter(|b| b.call == Call::Post)
            .flat_map(|b| b.operations.clone())
            .collect();
        assert!(posts.is_sorted());
    }

    #[test]
    fn no_call_is_larger_than_the_limit_unless_one_annotation_is() {
        let operations: Vec<Operation> = (0..10)
            .map(|at| operation(at, Action::Post, MAX_BYTES / 3))
            .collect();
        let batches = pack(&operations);
        assert!(batches.iter().all(|batch| batch.operations.len() <= 2));
        assert_eq!(
            batches
                .iter()
                .map(|batch| batch.operations.len())
                .sum::<usize>(),
            10
        );
        assert_eq!(lower_bound(&operations), 1);
        assert_eq!(pack(&[operation(0, Action::Post, MAX_BYTES * 2)]).len(), 1);
    }
}
