//! Every sample has one worker, whatever the numbers.

use super::cuts;

#[test]
fn the_cuts_of_a_batch_are_its_samples_in_order() {
    for samples in 1..70 {
        for threads in 1..9 {
            let cuts: Vec<_> = cuts(samples, threads).collect();
            assert!(cuts.len() <= threads);
            let all: Vec<usize> = cuts.iter().cloned().flatten().collect();
            assert!(all.into_iter().eq(0..samples), "{samples} samples for {threads}: {cuts:?}");
            let sizes = cuts.iter().map(ExactSizeIterator::len);
            assert!(sizes.clone().max().unwrap() - sizes.clone().min().unwrap() <= 1, "{cuts:?}");
            assert!(cuts.len() == 1 || sizes.min().unwrap() >= super::FEWEST_SAMPLES, "{cuts:?}");
        }
    }
}
