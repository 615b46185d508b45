//! The measurements as a table: a line for each as it is made, and all of them in Markdown.

use super::measured::Measured;
use std::fmt;

/// The columns of a row.
pub(crate) const HEAD: &str = concat!(
    "                                      wall s     CPU s   peak MB",
    "   calls (least)   times the floor (wall, CPU)"
);

/// The measurement of a step, and its floor.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) floor: Option<(&'static str, Measured)>,
    pub(crate) it: Measured,
}

impl Row {
    /// How many times the floor it took in wall time and in CPU time; `-` if that took less than can be measured.
    fn ratios(&self) -> Option<[String; 2]> {
        let (_, floor) = self.floor?;
        let ratio = |it: f64, floor: f64| match floor {
            0.0 => "-".to_owned(),
            floor => format!("{:.2}", it / floor),
        };
        Some([
            ratio(self.it.wall, floor.wall),
            ratio(self.it.cpu, floor.cpu),
        ])
    }

    fn calls(&self) -> String {
        match (self.it.calls, self.it.least_calls) {
            (0, _) => String::new(),
            (calls, 0) => calls.to_string(),
            (calls, least) => format!("{calls} ({least})"),
        }
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Measured {
            wall, cpu, peak, ..
        } = self.it;
        let (name, calls) = (self.name, self.calls());
        write!(f, "{name:34}{wall:10.3}{cpu:10.2}{peak:10.0}{calls:>16}")?;
        if let (Some((floor, _)), Some([wall, cpu])) = (self.floor, self.ratios()) {
            write!(f, "   {wall}, {cpu} of {floor}")?;
        }
        Ok(())
    }
}

/// The steps with a floor, for each number of annotations; in full for the last.
pub(crate) fn markdown(tables: &[(&str, Vec<Row>)]) -> String {
    let (size, last) = tables.last().expect("something was measured");
    let mut text = "| step | floor |".to_owned();
    for (size, _) in tables {
        text += &format!(" × at {size} (CPU) |");
    }
    text += &format!(" at {size}: wall | CPU | peak | calls (least) |\n");
    text += &format!("|{}\n", "---|".repeat(tables.len() + 6));
    for (at, row) in last.iter().enumerate() {
        let Some((floor, _)) = row.floor else {
            continue;
        };
        text += &format!("| {} | {floor} |", row.name);
        for (_, rows) in tables {
            let [wall, cpu] = rows[at].ratios().expect("each size has the same rows");
            text += &format!(" {wall} ({cpu}) |");
        }
        let Measured {
            wall, cpu, peak, ..
        } = row.it;
        let calls = row.calls();
        text += &format!(" {wall:.1} s | {cpu:.1} s | {peak:.0} MB | {calls} |\n");
    }
    text
}
