//! Who hears the events.

use crate::Event;

/// Hears what happens in a run. It cannot fail and must not wait: whatever goes wrong on its side (a closed pipe, a full
/// disk, a server that is away) stays on its side.
pub trait Observer {
    /// Hears one event.
    fn observe(&mut self, event: &Event);
}

impl<O: Observer + ?Sized> Observer for &mut O {
    fn observe(&mut self, event: &Event) {
        (**self).observe(event);
    }
}

/// Several observers as one; each hears every event, in the order of the list.
///
/// An observer that is asked something afterwards, such as a journal for its health, is lent: `Box::new(&mut journal)`.
#[derive(Default)]
pub struct Observers<'a>(pub Vec<Box<dyn Observer + 'a>>);

impl Observer for Observers<'_> {
    fn observe(&mut self, event: &Event) {
        for observer in &mut self.0 {
            observer.observe(event);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Kinds(Vec<&'static str>);

    impl Observer for Kinds {
        fn observe(&mut self, event: &Event) {
            self.0.push(event.kind());
        }
    }

    #[test]
    fn each_observer_hears_every_event() {
        let (mut first, mut second) = (Kinds::default(), Kinds::default());
        let mut all = Observers(vec![Box::new(&mut first), Box::new(&mut second)]);
        all.observe(&Event::EpochStarted { epoch: 1, step: 0 });
        all.observe(&Event::Interrupted { step: 3, epoch: 1 });
        drop(all);
        assert_eq!(first.0, ["epoch_started", "interrupted"]);
        assert_eq!(first.0, second.0);
    }
}
