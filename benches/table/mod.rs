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
    let mut head = vec!["step".to_owned(), "floor".to_owned()];
    head.extend(tables.iter().map(|(size, _)| format!("× at {size} (CPU)")));
    head.push(format!("at {size}: wall"));
    head.extend(["CPU", "peak", "calls (least)"].map(str::to_owned));
    let line = vec!["---".to_owned(); head.len()];
    let mut lines = vec![head, line];
    for (at, row) in last.iter().enumerate() {
        let Some((floor, _)) = row.floor else {
            continue;
        };
        let mut cells = vec![row.name.to_owned(), floor.to_owned()];
        for (_, rows) in tables {
            let [wall, cpu] = rows[at].ratios().expect("each size has the same rows");
            cells.push(format!("{wall} ({cpu})"));
        }
        let Measured {
            wall, cpu, peak, ..
        } = row.it;
        cells.extend([format!("{wall:.1} s"), format!("{cpu:.1} s")]);
        cells.extend([format!("{peak:.0} MB"), row.calls()]);
        lines.push(cells);
    }
    let line = |cells: &Vec<String>| format!("| {} |", cells.join(" | "));
    lines.iter().map(line).collect::<Vec<_>>().join("\n")
}
