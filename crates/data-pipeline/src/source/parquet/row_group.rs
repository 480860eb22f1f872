//! Which row groups of a file are read: those whose statistics do not rule out that a wanted bar is among their rows.

use std::collections::BTreeSet;
use std::fs::File;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use parquet::errors::ParquetError;
use parquet::file::statistics::Statistics;

use crate::source::cell::TimeUnitOf;
use crate::source::plan::ReadPlan;
use crate::spec::Symbol;
use crate::time::{DAY, Timestamp};

/// The row groups of a file that are read.
#[derive(Debug)]
pub(super) struct Chosen {
    /// Of each: its index, its first row and how many rows it has.
    groups: Vec<(usize, usize, usize)>,
}

type Builder = ParquetRecordBatchReaderBuilder<File>;

impl Chosen {
    /// A group without statistics is read.
    pub(super) fn by_statistics(
        builder: &Builder,
        plan: &ReadPlan<'_>,
        (time, unit): (&str, TimeUnitOf),
        symbol: Option<&str>,
        only: Option<&BTreeSet<Symbol>>,
    ) -> Result<Self, ParquetError> {
        let times = match (plan.spec.start, plan.spec.end) {
            (None, None) => None,
            _ => Bounds::of(builder, time)?.map(Bounds::numbers).transpose()?,
        };
        let symbols = match (symbol, only) {
            (Some(column), Some(only)) => {
                Bounds::of(builder, column)?.filter(Bounds::is_text).map(|bounds| (bounds, only))
            }
            _ => None,
        };
        let mut groups = Vec::new();
        let mut first_row = 0;
        for (group, metadata) in builder.metadata().row_groups().iter().enumerate() {
            let rows = usize::try_from(metadata.num_rows()).unwrap_or(0);
            let span = times.as_ref().and_then(|times| times.instants(group, unit));
            let may_be_in_time = span.is_none_or(|(first, last)| plan.wants_some(first, last));
            let may_be_wanted = symbols.as_ref().is_none_or(|(bounds, only)| bounds.may_hold(group, only));
            if may_be_in_time && may_be_wanted {
                groups.push((group, first_row, rows));
            }
            first_row += rows;
        }
        Ok(Self { groups })
    }

    /// The indices of the groups.
    pub(super) fn groups(&self) -> Vec<usize> {
        self.groups.iter().map(|(group, ..)| *group).collect()
    }

    /// How many rows they have.
    pub(super) fn rows(&self) -> usize {
        self.groups.iter().map(|(.., rows)| rows).sum()
    }

    /// Where row `row` of those that are read stands in the file.
    pub(super) fn row_of_file(&self, row: usize) -> usize {
        let mut left = row;
        for (_, first_row, rows) in &self.groups {
            if left < *rows {
                return first_row + left;
            }
            left -= rows;
        }
        row
    }
}

/// The least and the greatest value of one column, by row group.
struct Bounds {
    least: ArrayRef,
    greatest: ArrayRef,
}

impl Bounds {
    /// `None` where they cannot be relied on: the oldest writers compared text as if its bytes had a sign.
    fn of(builder: &Builder, column: &str) -> Result<Option<Self>, ParquetError> {
        let converter = StatisticsConverter::try_new(column, builder.schema(), builder.parquet_schema())?;
        let groups = builder.metadata().row_groups();
        let outdated = converter.parquet_column_index().is_none_or(|index| {
            groups
                .iter()
                .filter_map(|group| group.column(index).statistics())
                .any(Statistics::is_min_max_deprecated)
        });
        if outdated {
            return Ok(None);
        }
        let (least, greatest) = (converter.row_group_mins(groups)?, converter.row_group_maxes(groups)?);
        Ok(Some(Self { least, greatest }))
    }

    fn numbers(self) -> Result<Self, ParquetError> {
        let (least, greatest) =
            (cast(&self.least, &DataType::Int64)?, cast(&self.greatest, &DataType::Int64)?);
        Ok(Self { least, greatest })
    }

    fn is_text(&self) -> bool {
        self.least.data_type() == &DataType::Utf8 && self.greatest.data_type() == &DataType::Utf8
    }

    fn known(&self, group: usize) -> bool {
        self.least.is_valid(group) && self.greatest.is_valid(group)
    }

    /// First and last instant of `group`, of [`numbers`](Self::numbers).
    fn instants(&self, group: usize, unit: TimeUnitOf) -> Option<(Timestamp, Timestamp)> {
        let nanos = match unit {
            TimeUnitOf::Part(unit) => unit.nanos(),
            TimeUnitOf::Day => DAY,
        };
        let instant = |values: &ArrayRef| {
            let count = values.as_primitive::<Int64Type>().value(group);
            Timestamp::from_nanos(count.saturating_mul(nanos))
        };
        self.known(group).then(|| (instant(&self.least), instant(&self.greatest)))
    }

    /// May one of `symbols` be in `group`? Of [`is_text`](Self::is_text).
    fn may_hold(&self, group: usize, symbols: &BTreeSet<Symbol>) -> bool {
        let text = |values: &ArrayRef| values.as_string::<i32>().value(group).to_owned();
        if !self.known(group) {
            return true;
        }
        let (least, greatest) = (text(&self.least), text(&self.greatest));
        symbols.iter().any(|symbol| *least <= *symbol.as_str() && *symbol.as_str() <= *greatest)
    }
}
