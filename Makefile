PYTHON ?= python3
BIN = .venv/bin

.PHONY: demo test
demo: .venv/ready  ## the plain classifier and GAMO on digits side by side, then GAMO2pix
	$(BIN)/python train_gamo.py --dataset digits --method cn
	$(BIN)/python train_gamo.py --dataset digits --method gamo
	$(BIN)/python -m gamo_tf.compare
	$(BIN)/python train_gamo2pix.py --class 7 --fid-features classifier

test: .venv/ready-dev  ## lint and every test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m pytest -q

.venv/ready: requirements.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -q -r requirements.txt
	touch $@

.venv/ready-dev: requirements-dev.txt .venv/ready
	$(BIN)/pip install -q -r requirements-dev.txt
	touch $@
