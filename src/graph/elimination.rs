//! Systems of linear equations, solved on the graph by sparse elimination.
//!
//! The zeros of the matrix are known when the code is generated, so the order of
//! elimination is chosen once, for few new entries (minimum degree, as NEURON's
//! own sparse solver does), and only what is not zero becomes code.

use std::collections::{BTreeMap, BTreeSet};

use super::{Graph, Id};

/// One row of a sparse matrix, by column.
pub type SparseRow = BTreeMap<usize, Id>;

/// A matrix as a product of triangular ones.
#[derive(Clone, Debug)]
pub struct Factors {
    /// Row and column of each pivot, in the order of elimination.
    pub pivots: Vec<(usize, usize)>,
    /// For each pivot: the rows below it and their multipliers.
    pub lower: Vec<Vec<(usize, Id)>>,
    /// For each pivot: the rest of its row.
    pub upper: Vec<Vec<(usize, Id)>>,
    pub diagonal: Vec<Id>,
}

impl Graph {
    /// The factors of a square matrix; `None` if it is singular whatever its entries.
    pub fn factorise(&mut self, mut rows: Vec<SparseRow>) -> Option<Factors> {
        for row in &mut rows {
            row.retain(|_, id| !self.is_zero(*id));
        }
        let columns = matching(&rows)?;
        let mut left: BTreeSet<usize> = (0..rows.len()).collect();
        // Entries in the rows that are left, by column.
        let width = rows.iter().flat_map(BTreeMap::keys).max().map_or(0, |last| last + 1);
        let mut entries = vec![0_usize; width.max(rows.len())];
        rows.iter().flat_map(BTreeMap::keys).for_each(|column| entries[*column] += 1);
        let mut factors = Factors { pivots: Vec::new(), lower: Vec::new(), upper: Vec::new(), diagonal: Vec::new() };
        let degree = |rows: &[SparseRow], entries: &[usize], row: usize| {
            // How many new entries this pivot can make.
            ((rows[row].len() - 1) * (entries[columns[row]] - 1), row)
        };
        while let Some(row) = left.iter().copied().min_by_key(|row| degree(&rows, &entries, *row)) {
            left.remove(&row);
            rows[row].keys().for_each(|column| entries[*column] -= 1);
            let column = columns[row];
            let own = rows[row].clone();
            let pivot = own[&column];
            let mut lower = Vec::new();
            for below in &left {
                let below = *below;
                if self.is_full() {
                    break;
                }
                let Some(entry) = rows[below].remove(&column) else { continue };
                entries[column] -= 1;
                let factor = self.div(entry, pivot);
                for (other, value) in own.iter().filter(|(other, _)| **other != column) {
                    let term = self.mul(factor, *value);
                    let zero = self.number(0.0);
                    let before = rows[below].get(other).copied().unwrap_or(zero);
                    let after = self.sub(before, term);
                    entries[*other] += usize::from(rows[below].insert(*other, after).is_none());
                }
                lower.push((below, factor));
            }
            factors.pivots.push((row, column));
            factors.lower.push(lower);
            factors.upper.push(own.into_iter().filter(|(other, _)| *other != column).collect());
            factors.diagonal.push(pivot);
        }
        Some(factors)
    }

    /// The solution for one right side.
    pub fn substitute(&mut self, factors: &Factors, mut right: Vec<Id>) -> Vec<Id> {
        if self.is_full() {
            return right;
        }
        for (index, (row, _)) in factors.pivots.iter().enumerate() {
            for (below, factor) in &factors.lower[index] {
                let term = self.mul(*factor, right[*row]);
                right[*below] = self.sub(right[*below], term);
            }
        }
        let mut solution = right.clone();
        for (index, (row, column)) in factors.pivots.iter().enumerate().rev() {
            let mut value = right[*row];
            for (other, entry) in &factors.upper[index] {
                let term = self.mul(*entry, solution[*other]);
                value = self.sub(value, term);
            }
            solution[*column] = self.div(value, factors.diagonal[index]);
        }
        solution
    }
}

/// A column for each row such that every pivot can be other than zero, the
/// diagonal where possible.
fn matching(rows: &[SparseRow]) -> Option<Vec<usize>> {
    let mut owner: Vec<Option<usize>> =
        (0..rows.len()).map(|index| rows[index].contains_key(&index).then_some(index)).collect();
    for row in 0..rows.len() {
        if owner[row] != Some(row) && !claim(rows, row, &mut owner, &mut BTreeSet::new()) {
            return None;
        }
    }
    let mut columns = vec![0; rows.len()];
    for (column, row) in owner.into_iter().enumerate() {
        columns[row?] = column;
    }
    Some(columns)
}

fn claim(rows: &[SparseRow], row: usize, owner: &mut [Option<usize>], tried: &mut BTreeSet<usize>) -> bool {
    for column in rows[row].keys().copied() {
        if column >= owner.len() || !tried.insert(column) {
            continue;
        }
        let free = match owner[column] {
            None => true,
            Some(other) => claim(rows, other, owner, tried),
        };
        if free {
            owner[column] = Some(row);
            return true;
        }
    }
    false
}
