//! Pure: the order in which messages may come, as a table.
//!
//! What is expected is computed from the plan before the clone. A message that is early, late or
//! comes twice is an error that names both: two processes that disagree about where they are must
//! not go on.

use super::message::ToParent;
use crate::error::{Error, Result};

/// What the parent is to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expected {
    /// The stage reports init.
    Cloned,
    /// Init waits for its interfaces.
    Network,
    /// Init waits for a mount.
    Source,
    /// Init waits for a mount to be idmapped.
    Idmap,
    /// Init waits for the hooks.
    Mounted,
    /// Init hands out its terminal.
    Console,
    /// Init loads a filter and waits until its listener is with the agent.
    Listener,
    /// Init waits for its record.
    Ready,
    /// Nothing: somebody has told what it did.
    Phases,
    /// The process of `exec` is about to become the program.
    Executing,
}

/// The messages still to come.
#[derive(Debug)]
pub(super) struct Protocol {
    expected: std::collections::VecDeque<Expected>,
    /// Whether init may still ask for help with its mounts, as often as it needs.
    may_ask: bool,
}

impl Protocol {
    /// A conversation in which these messages are due, in their order.
    pub(super) fn new(due: impl IntoIterator<Item = Expected>) -> Protocol {
        Protocol { expected: due.into_iter().collect(), may_ask: false }
    }

    /// The same, in which init may ask for help until it says that its mounts are made.
    pub(super) fn with_questions(mut self, may_ask: bool) -> Protocol {
        self.may_ask = may_ask;
        self
    }

    /// Whether the conversation is over.
    pub(super) fn is_over(&self) -> bool {
        self.expected.is_empty()
    }

    /// Takes a message. A failure is always in order, and comes back as the error that it is.
    pub(super) fn accept(&mut self, message: &ToParent) -> Result<Expected> {
        let came = match message {
            ToParent::Failed(wire) => return Err(Error::from_wire(wire.as_bytes())),
            // Beside the conversation.
            ToParent::Phases(_) => return Ok(Expected::Phases),
            ToParent::Cloned { .. } => Expected::Cloned,
            ToParent::Network => Expected::Network,
            ToParent::Source { .. } => Expected::Source,
            ToParent::Idmap { .. } => Expected::Idmap,
            ToParent::Mounted => Expected::Mounted,
            ToParent::Console => Expected::Console,
            ToParent::Listener { .. } => Expected::Listener,
            ToParent::Ready => Expected::Ready,
            ToParent::Executing => Expected::Executing,
        };
        let is_question = matches!(came, Expected::Source | Expected::Idmap);
        match self.expected.front() {
            // Mounts are made when nothing is due any more that comes before them.
            Some(expected)
                if is_question
                    && self.may_ask
                    && !matches!(expected, Expected::Cloned | Expected::Network) =>
            {
                Ok(came)
            }
            Some(expected) if *expected == came => {
                self.may_ask &= matches!(came, Expected::Cloned | Expected::Network);
                self.expected.pop_front();
                Ok(came)
            }
            Some(expected) => {
                Err(Error::internal(format!("init said {came:?} where {expected:?} was due")))
            }
            None => Err(Error::internal(format!("init said {came:?} after the end"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Expected::{Cloned, Console, Listener, Mounted, Network, Ready};
    use super::*;

    #[test]
    fn the_whole_conversation() {
        let mut protocol = Protocol::new([Cloned, Network, Mounted, Console, Listener, Ready]);
        for message in [
            ToParent::Cloned { pid: 1, placed: true },
            ToParent::Network,
            ToParent::Mounted,
            ToParent::Console,
            ToParent::Listener { number: 7 },
            ToParent::Ready,
        ] {
            assert!(!protocol.is_over());
            protocol.accept(&message).unwrap();
        }
        assert!(protocol.is_over());
    }

    #[test]
    fn early_late_and_twice_are_errors_that_name_both() {
        let refusal = |protocol: &mut Protocol, message: &ToParent| {
            protocol.accept(message).unwrap_err().to_string()
        };
        let mut protocol = Protocol::new([Mounted, Ready]);
        assert_eq!(
            refusal(&mut protocol, &ToParent::Ready),
            "init said Ready where Mounted was due"
        );
        protocol.accept(&ToParent::Mounted).unwrap();
        assert_eq!(
            refusal(&mut protocol, &ToParent::Mounted),
            "init said Mounted where Ready was due"
        );
        protocol.accept(&ToParent::Ready).unwrap();
        assert_eq!(refusal(&mut protocol, &ToParent::Ready), "init said Ready after the end");
    }

    #[test]
    fn questions_have_their_time() {
        let source = ToParent::Source { index: None };
        let mut protocol = Protocol::new([Cloned, Mounted, Ready]).with_questions(true);
        let early = protocol.accept(&source).unwrap_err().to_string();
        assert_eq!(early, "init said Source where Cloned was due");
        protocol.accept(&ToParent::Cloned { pid: 1, placed: true }).unwrap();
        for _ in 0..3 {
            assert_eq!(protocol.accept(&source).unwrap(), Expected::Source);
            let idmap = protocol.accept(&ToParent::Idmap { index: 1 }).unwrap();
            assert_eq!(idmap, Expected::Idmap);
        }
        protocol.accept(&ToParent::Mounted).unwrap();
        let late = protocol.accept(&source).unwrap_err().to_string();
        assert_eq!(late, "init said Source where Ready was due");
        assert!(Protocol::new([Ready]).accept(&source).is_err());
    }

    #[test]
    fn a_failure_is_always_in_order() {
        let mut protocol = Protocol::new([Cloned, Mounted, Ready]);
        let wire = String::from_utf8(Error::config("/process/cwd", "x").to_wire()).unwrap();
        let error = protocol.accept(&ToParent::Failed(wire)).unwrap_err();
        assert_eq!(error.to_string(), "/process/cwd: x");
    }
}
