//! Tables of text: columns as wide as they need to be, none that would be empty.

use std::fmt;

/// Rows under headings.
pub(super) struct Table {
    headings: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn new(headings: &[&'static str]) -> Self {
        Self { headings: headings.to_vec(), rows: Vec::new() }
    }

    /// Adds a row with a cell for each heading.
    pub(super) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.into());
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |text: &str| text.chars().count();
        let mut columns = Vec::new();
        for (index, heading) in self.headings.iter().enumerate() {
            let cells = || self.rows.iter().filter_map(|row| row.get(index));
            if cells().any(|cell| !cell.is_empty()) {
                let widest = cells().map(|cell| width(cell)).max().unwrap_or(0);
                columns.push((index, *heading, widest.max(width(heading))));
            }
        }
        let line = |f: &mut fmt::Formatter<'_>, cell: &dyn Fn(usize, &'static str) -> String| {
            let mut text = String::new();
            for (index, heading, widest) in &columns {
                let cell = cell(*index, heading);
                text.push_str(&cell);
                text.extend(std::iter::repeat_n(' ', widest - width(&cell) + 2));
            }
            f.write_str(text.trim_end())
        };
        line(f, &|_, heading| heading.to_owned())?;
        for row in &self.rows {
            writeln!(f)?;
            line(f, &|index, _| row.get(index).cloned().unwrap_or_default())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_empty_ones_are_left_out() {
        let mut table = Table::new(&["NAME", "EMPTY", "WHY"]);
        table.row(["shop/ü".into(), String::new(), "ok".into()]);
        table.row(["a".into(), String::new(), String::new()]);
        assert_eq!(table.to_string(), "NAME    WHY\nshop/ü  ok\na");
    }
}
