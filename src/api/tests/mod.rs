//! The reader against servers with scripted answers.

mod by_ids;
mod calls;
mod listing;
mod pace;

use super::scripted::{Call, Reply, Scripted, named, page_of};
use super::{ApiError, Filter, Reader};

fn annotations(count: usize) -> Vec<String> {
    (0..count)
        .map(|n| named(&format!("in-{}", n / 3), &format!("a{n:05}")))
        .collect()
}

async fn ids(server: &Scripted, filter: &Filter) -> Result<Vec<String>, ApiError> {
    let reader = Reader::new(&server.connection())?;
    let listing = reader
        .list_with(filter, |a| Ok::<_, ApiError>(a.id))
        .await?;
    Ok(listing.into_parts().1)
}

fn expected(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("a{n:05}")).collect()
}

fn filtered(all: &[(String, String)], call: &Call, cap: usize) -> Reply {
    let inputs: Vec<&str> = call.all("input_ids");
    let ids: Vec<&str> = call.all("ids");
    let admitted: Vec<String> = all
        .iter()
        .filter(|(input, id)| {
            if ids.is_empty() {
                inputs.contains(&input.as_str())
            } else {
                inputs.iter().zip(&ids).any(|(i, a)| i == input && a == id)
            }
        })
        .map(|(input, id)| named(input, id))
        .collect();
    page_of(&admitted, call, cap)
}

fn pairs(count: usize) -> Vec<(String, String)> {
    (0..count)
        .map(|n| (format!("input number {}", n / 2), format!("a{n:05}")))
        .collect()
}
