//! What trackers show of a scored span besides numbers: pictures of its forecasts, and its features as an embedding. The report
//! has the same figures, and more of them.

mod canvas;
mod confusion;
mod embedding;
mod forecasts;

use std::path::Path;

use anyhow::Context as _;
use tapeline_artefact::replace_file;
use tapeline_trainer::Scorecard;

use canvas::Canvas;

pub(crate) use embedding::write as write_embedding;

/// The folders of a run for them.
pub(crate) const IMAGES: &str = "images";
pub(crate) const EMBEDDING: &str = "embedding";

/// Writes `images/<task>-h<horizon>.png` into `run` for each task and horizon of `card`.
pub(crate) fn write(run: &Path, card: &Scorecard) -> anyhow::Result<()> {
    let folder = run.join(IMAGES);
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    for (name, canvas) in all(card) {
        replace_file(&folder.join(format!("{name}.png")), &canvas.into_png()?)?;
    }
    Ok(())
}

fn all(card: &Scorecard) -> Vec<(String, Canvas)> {
    let price = card.price.iter().map(|score| {
        (format!("{}-h{}", score.task, score.horizon), forecasts::picture(&forecasts::Shown::returns(score)))
    });
    let volatility = card.volatility.iter().map(|score| {
        (
            format!("{}-h{}", score.task, score.horizon),
            forecasts::picture(&forecasts::Shown::volatility(score)),
        )
    });
    let regime = card
        .regime
        .iter()
        .map(|score| (format!("{}-h{}", score.task, score.horizon), confusion::picture(score)));
    price.chain(volatility).chain(regime).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn every_task_and_horizon_has_a_picture_that_can_be_read() {
        let run = tempfile::tempdir().unwrap();
        let card = sample::scorecard("validation");
        write(run.path(), &card).unwrap();
        let count = card.price.len() + card.volatility.len() + card.regime.len();
        let files: Vec<_> = std::fs::read_dir(run.path().join(IMAGES)).unwrap().flatten().collect();
        assert_eq!(files.len(), count);
        for file in files {
            let file = std::io::BufReader::new(std::fs::File::open(file.path()).unwrap());
            let mut reader = png::Decoder::new(file).read_info().unwrap();
            let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
            let frame = reader.next_frame(&mut pixels).unwrap();
            assert_eq!((frame.width, frame.height), (canvas::SIDE, canvas::SIDE));
            let colours: std::collections::BTreeSet<&[u8]> = pixels.chunks(3).collect();
            assert!(colours.len() > 2 && colours.contains(&[255; 3][..]), "something is drawn on white");
        }
    }
}
