"""Training common to all models: batches, states that survive a kill, history, Lightning glue.

Nothing here draws from a global generator or depends on time: what happens in a step follows from
(seed, epoch, index of the batch), so a resumed run ends with the bytes of an undisturbed one.
"""
