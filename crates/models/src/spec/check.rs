//! All faults of a spec at once, each under the path of the field it is in.

use std::collections::BTreeSet;

use garde::{Error, Path, Report};

use super::{
    CnnModelSpec, CnnSpec, FUSION_ATTENTION_HEADS, FusionKind, FusionSpec, HeadSpec, HybridSpec,
    LstmModelSpec, LstmSpec, ModelSpec, NetworkSpec,
};

/// No size may exceed this: products of three of them still fit into 63 bits.
const LARGEST_SIZE: usize = 1 << 20;

/// First parts of weight names that belong to the extractor.
const RESERVED_NAMES: [&str; 3] = ["cnn", "lstm", "fuse"];

impl ModelSpec {
    /// Is this an architecture that can be built?
    ///
    /// # Errors
    /// Every fault, with its path relative to `model`, such as `cnn.attention_heads`.
    pub fn check(&self) -> Result<(), Report> {
        let mut faults = Faults::default();
        match self {
            Self::Cnn(CnnModelSpec { cnn, fusion }) => {
                faults.under("cnn", |faults| check_cnn(cnn, faults));
                faults.under("fusion", |faults| check_fusion(fusion, faults));
            }
            Self::Lstm(LstmModelSpec { lstm, fusion }) => {
                faults.under("lstm", |faults| check_lstm(lstm, faults));
                faults.under("fusion", |faults| check_fusion(fusion, faults));
            }
            Self::Hybrid(HybridSpec { cnn, lstm, fusion }) => {
                faults.under("cnn", |faults| check_cnn(cnn, faults));
                faults.under("lstm", |faults| check_lstm(lstm, faults));
                faults.under("fusion", |faults| check_fusion(fusion, faults));
            }
        }
        faults.into_result()
    }
}

impl NetworkSpec {
    /// Is this a network that can be built?
    ///
    /// # Errors
    /// Every fault, with its path, such as `model.cnn.channels` or `heads[1].name`.
    pub fn check(&self) -> Result<(), Report> {
        let mut faults = Faults::default();
        if let Err(report) = self.model.check() {
            for (path, error) in report.into_inner() {
                faults.add(&format!("model.{path}"), error.message());
            }
        }
        if self.inputs.is_empty() {
            faults.add("inputs", "needs at least one timeframe");
        }
        for (index, input) in self.inputs.iter().enumerate() {
            faults.size(&format!("inputs[{index}].length"), input.length);
            faults.size(&format!("inputs[{index}].features"), input.features);
        }
        check_heads(&self.heads, &mut faults);
        faults.into_result()
    }
}

fn check_cnn(cnn: &CnnSpec, faults: &mut Faults) {
    faults.size("channels", cnn.channels);
    if cnn.kernel_sizes.is_empty() {
        faults.add("kernel_sizes", "needs at least one kernel");
    }
    if cnn.kernel_sizes.len() > cnn.channels {
        faults.add(
            "kernel_sizes",
            &format!("{} kernels cannot share {} channels", cnn.kernel_sizes.len(), cnn.channels),
        );
    }
    for (index, &kernel) in cnn.kernel_sizes.iter().enumerate() {
        let path = format!("kernel_sizes[{index}]");
        faults.size(&path, kernel);
        if kernel % 2 == 0 {
            faults.add(&path, &format!("{kernel} is even: a kernel needs a bar in its middle"));
        }
    }
    if cnn.dilations.is_empty() {
        faults.add("dilations", "needs at least one block");
    }
    for (index, &dilation) in cnn.dilations.iter().enumerate() {
        faults.size(&format!("dilations[{index}]"), dilation);
    }
    faults.heads("channels", cnn.channels, cnn.attention_heads);
    faults.probability("dropout", cnn.dropout);
}

fn check_lstm(lstm: &LstmSpec, faults: &mut Faults) {
    faults.size("hidden_size", lstm.hidden_size);
    faults.size("num_layers", lstm.num_layers);
    let width = if lstm.bidirectional { "twice hidden_size" } else { "hidden_size" };
    faults.heads(width, lstm.width(), lstm.attention_heads);
    faults.probability("dropout", lstm.dropout);
    faults.probability("recurrent_dropout", lstm.recurrent_dropout);
}

fn check_fusion(fusion: &FusionSpec, faults: &mut Faults) {
    faults.size("output_size", fusion.output_size);
    if fusion.kind == FusionKind::Attention && !fusion.output_size.is_multiple_of(FUSION_ATTENTION_HEADS) {
        faults.add(
            "output_size",
            &format!(
                "is {}, which the {FUSION_ATTENTION_HEADS} heads of the attention do not divide",
                fusion.output_size
            ),
        );
    }
    faults.probability("dropout", fusion.dropout);
}

fn check_heads(heads: &[HeadSpec], faults: &mut Faults) {
    if heads.is_empty() {
        faults.add("heads", "needs at least one head");
    }
    let mut seen = BTreeSet::new();
    for (index, head) in heads.iter().enumerate() {
        let path = format!("heads[{index}].name");
        if head.name.is_empty() || head.name.contains('.') {
            faults.add(&path, &format!("{:?} cannot name weights: it is empty or has a dot", head.name));
        }
        if RESERVED_NAMES.contains(&head.name.as_str()) {
            faults.add(&path, &format!("{:?} is a part of the extractor", head.name));
        }
        if !seen.insert(&head.name) {
            faults.add(&path, &format!("{:?} is there twice", head.name));
        }
        faults.size(&format!("heads[{index}].kind"), head.kind.width());
    }
}

#[derive(Default)]
struct Faults {
    report: Option<Report>,
    prefix: String,
}

impl Faults {
    fn under(&mut self, segment: &str, check: impl FnOnce(&mut Self)) {
        let outer = std::mem::replace(&mut self.prefix, format!("{segment}."));
        check(self);
        self.prefix = outer;
    }

    fn add(&mut self, path: &str, message: &str) {
        let path = Path::new(format!("{}{path}", self.prefix));
        self.report.get_or_insert_with(Report::new).append(path, Error::new(message));
    }

    fn size(&mut self, path: &str, found: usize) {
        if !(1..=LARGEST_SIZE).contains(&found) {
            self.add(path, &format!("is {found}, expected 1 to {LARGEST_SIZE}"));
        }
    }

    fn probability(&mut self, path: &str, found: f64) {
        if !(0.0..1.0).contains(&found) {
            self.add(path, &format!("is {found}, expected 0 ≤ p < 1"));
        }
    }

    fn heads(&mut self, width_name: &str, width: usize, heads: usize) {
        self.size("attention_heads", heads);
        if heads > 0 && !width.is_multiple_of(heads) {
            self.add(
                "attention_heads",
                &format!("{heads} heads do not divide {width_name}, which is {width}"),
            );
        }
    }

    fn into_result(self) -> Result<(), Report> {
        self.report.map_or(Ok(()), Err)
    }
}
