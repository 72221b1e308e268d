"""Examples below the help of each command."""

EVALUATE = """Examples:

`dismai evaluate mine.extxyz --dataset alloy_300K_narrow --out scored`

`dismai evaluate cells/ --dataset amorphous_si --relax sw --n-generated 1000`

`dismai evaluate cells/ --dataset amorphous_si --families motifs,curves`

`dismai evaluate mine.xyz --dataset my_set --reference my_set/train.extxyz --json`
"""
COMPARE = """Examples:

`dismai compare scored_a scored_b`

`dismai compare results/demo --metric percent_failed --json`
"""
RANK = """Examples:

`dismai rank --published --figure spider.svg`

`dismai rank results/demo`
"""
DATASET = """Examples:

`dismai dataset alloy_300K_narrow --out train.extxyz --val val.extxyz`

`dismai dataset amorphous_si --size small --out small/train.extxyz`
"""
GENERATE = """Examples:

`dismai generate diffcsp mine.extxyz --dataset alloy_300K_narrow -n 100`

`dismai generate results/demo/models/amorphous_si/melt/seed0/model.safetensors --out mine.extxyz`

`dismai generate model.safetensors --out large.extxyz --number 4 --repeat 2 2 2`
"""

SUBMIT = """Examples:

`dismai submit results/mini --out submissions/mine`

`dismai submit submissions/mine`
"""

LEADERBOARD = """Example:

`dismai leaderboard results_mini submissions/mine --out leaderboard.html`
"""
