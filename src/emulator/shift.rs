//! Changes behind a listing's back, which no call makes.

use super::faults::Shift;
use super::reply::Refusal;
use super::seed::Planting;
use super::session::Session;
use super::store::App;

/// Carries shifts out, in order. Hiding and showing are the fault control's own.
pub(super) fn apply(session: &Session<'_>, app: &App, shifts: &[Shift]) -> Result<(), Refusal> {
    for shift in shifts {
        match shift {
            Shift::Delete { input_id, id } => {
                if let Some(stored) = session.annotation(app, input_id, id)? {
                    session.delete(&stored)?;
                }
            }
            Shift::Insert(annotation) => Planting::new(session, app).plant(annotation.clone())?,
            Shift::Hide { .. } | Shift::Show { .. } => {}
        }
    }
    Ok(())
}
