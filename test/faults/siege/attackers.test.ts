import { siegeFor } from '../support/siege.js';

siegeFor(10);
