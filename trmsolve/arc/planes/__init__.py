"""The network with a plane of cells for each colour: trained on tasks, adapted to each new one."""
