//! Against Optuna 5.0 (`scripts/golden_search.py`) and against definitions.

use proptest::prelude::*;
use serde::Deserialize;

use super::{dominates, greedy_subset, hypervolume, ranks, ranks_under_constraints};

#[derive(Deserialize)]
struct Case {
    points: Vec<Vec<f64>>,
    violations: Vec<f64>,
    ranks: Vec<usize>,
    ranks_under_constraints: Vec<usize>,
    reference: Vec<f64>,
    hypervolume: f64,
    front: Vec<Vec<f64>>,
    subset: Vec<Vec<f64>>,
}

#[test]
fn ranks_volumes_and_subsets_are_those_of_optuna() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("../../tests/golden/pareto.json")).unwrap();
    assert!(cases.len() > 20);
    for case in cases {
        assert_eq!(ranks(&case.points), case.ranks);
        assert_eq!(ranks_under_constraints(&case.points, &case.violations), case.ranks_under_constraints);
        let volume = hypervolume(&case.points, &case.reference);
        assert!((volume - case.hypervolume).abs() < 1e-12, "{volume} for {}", case.hypervolume);
        let chosen = greedy_subset(&case.front, case.subset.len(), &case.reference);
        let mut subset: Vec<Vec<f64>> = chosen.iter().map(|position| case.front[*position].clone()).collect();
        subset.sort_by(|left, right| super::lexicographic(left, right));
        assert_eq!(subset, case.subset);
    }
}

#[test]
fn infinite_losses_have_ranks_and_volumes() {
    let points = vec![vec![f64::NEG_INFINITY, 1.0], vec![0.0, f64::INFINITY], vec![0.0, 0.0]];
    assert_eq!(ranks(&points), [0, 1, 0]);
    assert_eq!(hypervolume(&points, &[2.0, 2.0]), f64::INFINITY);
    assert_eq!(hypervolume(&points[1..], &[2.0, 2.0]), 4.0);
    assert_eq!(greedy_subset(&points, 1, &[2.0, 2.0]), [0]);
    assert_eq!(greedy_subset(&points, 2, &[2.0, f64::INFINITY]), [0, 2]);
    assert_eq!(hypervolume(&[], &[1.0, 1.0]), 0.0);
}

/// Points on a small grid, so that ties and twins are common.
fn grid_points(objectives: usize) -> impl Strategy<Value = Vec<Vec<f64>>> {
    prop::collection::vec(prop::collection::vec((0..5u8).prop_map(f64::from), objectives), 1..12)
}

/// The volume counted cell by cell: a cell of the grid is covered when some point is at or below its lower corner.
fn counted(points: &[Vec<f64>], objectives: usize) -> f64 {
    let cells = 5usize.pow(objectives as u32);
    let covered = (0..cells).filter(|cell| {
        let corner: Vec<f64> =
            (0..objectives).map(|axis| (cell / 5usize.pow(axis as u32) % 5) as f64).collect();
        points.iter().any(|point| point.iter().zip(&corner).all(|(loss, edge)| loss <= edge))
    });
    covered.count() as f64
}

proptest! {
    #[test]
    fn a_volume_is_the_count_of_its_cells(objectives in 1..6usize, all in grid_points(5)) {
        let points: Vec<Vec<f64>> = all.iter().map(|point| point[..objectives].to_vec()).collect();
        let volume = hypervolume(&points, &vec![5.0; objectives]);
        prop_assert!((volume - counted(&points, objectives)).abs() < 1e-9);
    }

    #[test]
    fn a_rank_is_one_more_than_the_worst_that_dominates(points in grid_points(3)) {
        let ranks = ranks(&points);
        for (point, rank) in points.iter().zip(&ranks) {
            let above = points.iter().zip(&ranks).filter(|(other, _)| dominates(other, point)).map(|(_, rank)| rank + 1);
            prop_assert_eq!(*rank, above.max().unwrap_or(0));
        }
    }

    #[test]
    fn the_next_chosen_adds_the_most(points in grid_points(3), size in 1..6usize) {
        let reference = [5.0; 3];
        let chosen = greedy_subset(&points, size, &reference);
        prop_assert_eq!(chosen.len(), size.min(points.len()));
        let with = |positions: &[usize]| {
            hypervolume(&positions.iter().map(|position| points[*position].clone()).collect::<Vec<_>>(), &reference)
        };
        // Sets that were completed by twins, or taken whole, have no order of choice.
        let mut distinct = points.clone();
        distinct.sort_by(|left, right| super::lexicographic(left, right));
        distinct.dedup();
        if distinct.len() > size {
            for taken in 0..size {
                let volume = with(&chosen[..=taken]);
                for other in 0..points.len() {
                    let instead: Vec<usize> = chosen[..taken].iter().copied().chain([other]).collect();
                    prop_assert!(with(&instead) <= volume + 1e-9);
                }
            }
        }
    }
}
