//! Execution of planned concurrent changes.

use super::faults::ConcurrentChange;
use super::reply::Refusal;
use super::rows::App;
use super::seed::Seeder;
use super::session::Session;

/// Makes the changes of annotations. Hiding and showing are done by the fault control.
pub(super) fn apply(
    session: &Session<'_>,
    app: &App,
    changes: &[ConcurrentChange],
) -> Result<(), Refusal> {
    for change in changes {
        match change {
            ConcurrentChange::Delete { input_id, id } => {
                if let Some(stored) = session.annotation(app, input_id, id)? {
                    session.delete(&stored)?;
                }
            }
            ConcurrentChange::Insert(annotation) => {
                Seeder::new(session, app).store(annotation.clone())?;
            }
            ConcurrentChange::Hide { .. } | ConcurrentChange::Show { .. } => {}
        }
    }
    Ok(())
}
